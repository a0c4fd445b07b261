"""The commands ``caudal verify …``."""

from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from deploy.console.options import DEFAULT_DATA_DIR, AsJson, DataDir, complaining, exit_with, read_settings

Repair = Annotated[bool, typer.Option("--repair", help="Mend what is wrong with topics and views, from the logs.")]
PublicKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--public-key", help="PEM file with a public key whose signatures are trusted; repeatable.", exists=True, dir_okay=False
    ),
]
RequireSigned = Annotated[
    bool, typer.Option("--require-signed", help="Fail too where no signed head, or no topic of them, could be looked at.")
]

verify = typer.Typer(invoke_without_command=True)


@verify.callback()
def verify_all(
    context: typer.Context,
    repair: Repair = False,
    public_key: PublicKeys = None,
    require_signed: RequireSigned = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Prove that nothing was lost, doubled, altered or made up: logs, topics and views, or one kind of them."""
    if context.invoked_subcommand is None:
        _verify(data_dir, as_json, public_keys=public_key or (), require_signed=require_signed, repair=repair)
        return
    for option in context.command.params:
        # They would not reach the command behind them: a check that was asked for would not be made.
        source = context.get_parameter_source(option.name) if option.name else None
        if source is not None and source.name == "COMMANDLINE":
            place = f"caudal verify {context.invoked_subcommand} … {option.opts[0]}"
            raise typer.BadParameter(f"{option.opts[0]} goes behind what is verified: {place}")


@verify.command("log")
def verify_log(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Logs to look through; unset: all.")
    ] = None,
    public_key: PublicKeys = None,
    require_signed: RequireSigned = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Recompute every log's hash chain and hold it against its signed heads; name the first position that is wrong."""
    _verify(data_dir, as_json, parts=("log",), names=names or (), public_keys=public_key or (), require_signed=require_signed)


@verify.command("topics")
def verify_topics(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Contexts whose topics to look through; unset: all."),
    ] = None,
    repair: Repair = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Hold every topic of events against its log: each event once, in order and as recorded."""
    _verify(data_dir, as_json, parts=("topic",), names=names or (), repair=repair)


@verify.command("views")
def verify_views(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.VIEW]...", help="Views to look through; unset: all.")
    ] = None,
    repair: Repair = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Hold every view against a fresh fold of its logs, at the positions at which the view stands."""
    _verify(data_dir, as_json, parts=("view",), names=names or (), repair=repair)


def _verify(data_dir: Path, as_json: bool, **wanted: Any) -> None:
    from deploy.operations.verify.report import Teller
    from deploy.operations.verify.run import Wanted, verify

    work = verify(Wanted(**wanted), data_dir.resolve(), read_settings(), Teller(as_json=as_json))
    exit_with(complaining(lambda: uvloop.run(work)))
