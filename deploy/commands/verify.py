"""The commands ``caudal verify …``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.commands.orders.order import Order, long_reading_command
from deploy.console.options import flag

Repair = Annotated[
    bool, flag("--repair", help="Repair topics and views from the logs, and erase subjects again whose keys are back.")
]
RepairLog = Annotated[bool, flag("--repair", help="Erase subjects again whose keys are back; logs are never changed.")]
PublicKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--public-key", help="PEM file of a public key whose signatures are trusted; repeatable.", exists=True, dir_okay=False
    ),
]
RequireSigned = Annotated[bool, flag("--require-signed", help="Fail also if signed heads, or their topic, could not be read.")]

verify = typer.Typer(invoke_without_command=True)


@verify.callback()
@long_reading_command
def verify_all(
    context: typer.Context, repair: Repair = False, public_key: PublicKeys = None, require_signed: RequireSigned = False
) -> Order | None:
    """Prove that nothing was lost, doubled, altered or invented: in logs, topics, views and files, or in one kind of them."""
    if context.invoked_subcommand is None:
        return _order(public_key, repair=repair, require_signed=require_signed)
    for option in context.command.params:
        # The subcommand would not get the option, and a check that was asked for would be left out.
        source = context.get_parameter_source(option.name) if option.name else None
        if source is not None and source.name == "COMMANDLINE":
            right = f"caudal verify {context.invoked_subcommand} {option.opts[0]}"
            raise typer.BadParameter(f"put {option.opts[0]} after the subcommand: {right}")
    return None


@verify.command("log")
@long_reading_command
def verify_log(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Logs to verify; default: all.")
    ] = None,
    public_key: PublicKeys = None,
    require_signed: RequireSigned = False,
    repair: RepairLog = False,
) -> Order:
    """Recompute the hash chain of logs and compare it with their signed heads; name the first position that is wrong."""
    return _order(public_key, names, parts=("log",), repair=repair, require_signed=require_signed)


@verify.command("topics")
@long_reading_command
def verify_topics(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Contexts whose topics to verify; default: all."),
    ] = None,
    repair: Repair = False,
) -> Order:
    """Compare topics of events with their logs: each event once, in order and as recorded."""
    return _order(None, names, parts=("topic",), repair=repair)


@verify.command("views")
@long_reading_command
def verify_views(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.VIEW]...", help="Views to verify; default: all.")
    ] = None,
    repair: Repair = False,
) -> Order:
    """Compare views with a new projection of their logs, up to the checkpoints of the view."""
    return _order(None, names, parts=("view",), repair=repair)


@verify.command("files")
@long_reading_command
def verify_files(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Contexts whose files to verify; default: all.")
    ] = None,
) -> Order:
    """Read each file that events name, and compare it with what was recorded of it."""
    return _order(None, names, parts=("file",))


def _order(public_keys: list[Path] | None, names: list[str] | None = None, **parameters: Any) -> Order:
    from deploy.operations.verify.run import VERIFY, Verify

    return Order(VERIFY, Verify(names=tuple(names or ()), **parameters), public_keys or ())
