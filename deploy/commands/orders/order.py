"""Commands that operate an installation, as functions that say what to do: their common options are added here.

What runs them is imported when a command is called (`deploy.commands.orders.carrying_out`).
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from deploy.console.async_command import async_command
from deploy.console.options import DEFAULT_DATA_DIR, Apply, AsJson, DataDir
from schemas.engine.operations import MAX_REASON

if TYPE_CHECKING:
    from deploy.operations.operation import Operation
    from deploy.operations.reading import Reading
    from deploy.operations.run import Parameters


def _short(reason: str) -> str:
    if len(reason) > MAX_REASON:
        raise typer.BadParameter(f"it has {len(reason):,} characters, and at most {MAX_REASON:,} are recorded")
    return reason


Reason = Annotated[str, typer.Option("--reason", callback=_short, help="Why; it is recorded.")]
Url = Annotated[str | None, typer.Option(help="Operations API of another installation; default: this one's databases.")]
Token = Annotated[str | None, typer.Option(envvar="CAUDAL_TOKEN", help="Access token for --url.")]
Options = Mapping[str, tuple[Any, Any]]
"""The type and the default of each option, by its name."""
PLACE: Options = {
    "as_json": (AsJson, False),
    "url": (Url, None),
    "token": (Token, None),
    "data_dir": (DataDir, DEFAULT_DATA_DIR),
}
"""Options of every such command."""
_CHANGE: Options = {"apply": (Apply, False), "reason": (Reason, ""), **PLACE}
"""Options of those that change something."""
_LONG: Options = {"reason": (Reason, ""), **PLACE}
"""Options of those that read everything that they are about."""


@dataclass(frozen=True, slots=True)
class Order:
    """An operation to run, with its parameters."""

    operation: "Operation[Any]"
    parameters: "Parameters"
    public_keys: Sequence[Path] = ()
    """Files of keys whose signatures are trusted, on this machine alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """A reading with its parameters."""

    reading: "Reading[Any, Any]"
    parameters: "Parameters"
    show: Callable[[Any], None]
    """Prints the answer."""
    exit_code: Callable[[Any], int] = lambda _: 0


def operation_command(make: Callable[..., Order]) -> Callable[..., None]:
    """Makes a Typer command of a function that returns an order: with ``--apply``, ``--reason``, ``--json``, ``--url``, …"""

    async def run(*args: Any, **options: Any) -> int:
        from deploy.commands.orders.carrying_out import carry_out

        common = {name: options.pop(name) for name in _CHANGE}
        return await carry_out(make(*args, **options), **common)

    return async_command(with_options(make, run, _CHANGE))


def long_reading_command(make: Callable[..., Order | None]) -> Callable[..., None]:
    """Makes a Typer command of a function that returns an order that only reads; with an option ``--repair`` it is applied."""

    async def run(*args: Any, **options: Any) -> int:
        from deploy.commands.orders.carrying_out import carry_out

        common = {name: options.pop(name) for name in _LONG}
        order = make(*args, **options)
        return 0 if order is None else await carry_out(order, apply=options.get("repair", False), **common)

    return async_command(with_options(make, run, _LONG))


def reading_command(make: Callable[..., Question]) -> Callable[..., None]:
    """Makes a Typer command of a function that returns a question: with ``--json``, ``--url``, ``--token``, ``--data-dir``."""

    async def run(*args: Any, **options: Any) -> int:
        from deploy.commands.orders.carrying_out import answer

        common = {name: options.pop(name) for name in PLACE}
        return await answer(make(*args, **options), **common)

    return async_command(with_options(make, run, PLACE))


def with_options(make: Callable[..., Any], run: Callable[..., Any], options: Options) -> Callable[..., Any]:
    """Returns ``run`` with the name, the text and the parameters of ``make``, and with these options after them."""

    @wraps(make)
    async def command(*args: Any, **kwargs: Any) -> Any:
        return await run(*args, **kwargs)

    hints = {name: hint for name, hint in get_type_hints(make, include_extras=True).items() if name != "return"}
    own = [one.replace(annotation=hints[name]) for name, one in inspect.signature(make).parameters.items()]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in options.items()
    ]
    command.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]
    command.__annotations__ = {**hints, **{name: kind for name, (kind, _) in options.items()}}
    return command
