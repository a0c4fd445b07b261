"""Commands as coroutine functions, and the way in which a command ends with an error."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import typer
import uvloop
from rich.console import Console

from schemas.errors import CaudalError

P = ParamSpec("P")
E = TypeVar("E", bound=BaseException)


@contextmanager
def report_errors() -> Iterator[None]:
    """Prints Caudal's errors, and those of files, to standard error and ends the process with code 1; also a decorator."""
    try:
        yield
    except (CaudalError, OSError) as error:
        print_error(_text(error))
        raise typer.Exit(1) from error
    except BaseExceptionGroup as group:
        known, others = group.split((CaudalError, OSError))
        if known is None or others is not None:
            raise
        for text in dict.fromkeys(map(_text, leaves(known))):
            print_error(text)
        raise typer.Exit(1) from group


def leaves(group: BaseExceptionGroup[E]) -> list[E]:
    """Returns the errors in a group and in the groups inside it."""
    found: list[E] = []
    for error in group.exceptions:
        found += leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _text(error: BaseException) -> str:
    if isinstance(error, CaudalError):
        return error.detail
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def async_command(work: Callable[P, Awaitable[int | None]]) -> Callable[P, None]:
    """Makes a Typer command of a coroutine function, whose result is the exit code; ``None`` is 0."""

    @wraps(work)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        async def run() -> int | None:
            return await work(*args, **kwargs)

        with report_errors():
            exit_with(uvloop.run(run()) or 0)

    return command


def exit_with(code: int) -> None:
    """Ends the command with a code, unless it is 0."""
    if code:
        raise typer.Exit(code)


def print_error(text: str) -> None:
    """Prints an error, in red, to standard error."""
    Console(stderr=True).print(f"caudal: {text}", style="red", highlight=False, markup=False, soft_wrap=True)
