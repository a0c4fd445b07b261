"""The commands ``caudal verify …``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.console.async_command import async_command
from deploy.console.connection import settings_of
from deploy.console.options import DEFAULT_DATA_DIR, AsJson, DataDir, flag

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
def verify_all(
    context: typer.Context,
    repair: Repair = False,
    public_key: PublicKeys = None,
    require_signed: RequireSigned = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Prove that nothing was lost, doubled, altered or invented: in logs, topics, views and files, or in one kind of them."""
    if context.invoked_subcommand is None:
        _verify(data_dir, as_json, public_keys=public_key or (), require_signed=require_signed, repair=repair)
        return
    for option in context.command.params:
        # The subcommand would not get the option, and a check that was asked for would be left out.
        source = context.get_parameter_source(option.name) if option.name else None
        if source is not None and source.name == "COMMANDLINE":
            right = f"caudal verify {context.invoked_subcommand} {option.opts[0]}"
            raise typer.BadParameter(f"put {option.opts[0]} after the subcommand: {right}")


@verify.command("log")
def verify_log(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Logs to verify; default: all.")
    ] = None,
    public_key: PublicKeys = None,
    require_signed: RequireSigned = False,
    repair: RepairLog = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Recompute the hash chain of logs and compare it with their signed heads; name the first position that is wrong."""
    keys = public_key or ()
    _verify(
        data_dir, as_json, parts=("log",), names=names or (), public_keys=keys, require_signed=require_signed, repair=repair
    )


@verify.command("topics")
def verify_topics(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Contexts whose topics to verify; default: all."),
    ] = None,
    repair: Repair = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Compare topics of events with their logs: each event once, in order and as recorded."""
    _verify(data_dir, as_json, parts=("topic",), names=names or (), repair=repair)


@verify.command("views")
def verify_views(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.VIEW]...", help="Views to verify; default: all.")
    ] = None,
    repair: Repair = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Compare views with a new projection of their logs, up to the checkpoints of the view."""
    _verify(data_dir, as_json, parts=("view",), names=names or (), repair=repair)


@verify.command("files")
def verify_files(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM.CONTEXT]...", help="Contexts whose files to verify; default: all.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Read each file that events name, and compare it with what was recorded of it."""
    _verify(data_dir, as_json, parts=("file",), names=names or ())


@async_command
async def _verify(data_dir: Path, as_json: bool, **options: Any) -> int:
    from deploy.operations.verify.report import Reporter
    from deploy.operations.verify.run import VerifyOptions, verify

    return await verify(VerifyOptions(**options), data_dir, settings_of(data_dir), Reporter(as_json=as_json))
