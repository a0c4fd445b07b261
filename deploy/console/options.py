"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer


def flag(name: str, *, help: str, **more: Any) -> Any:
    """Returns Typer's option for a flag. Its help shows no type, which would read as if a value were wanted."""
    return typer.Option(name, metavar="", help=help, **more)


DEFAULT_DATA_DIR = Path(".caudal")
DataDir = Annotated[Path, typer.Option("--data-dir", help="Folder of the local stack's data and logs.")]
AsJson = Annotated[bool, flag("--json", help="Print JSON instead of text.")]
Apply = Annotated[bool, flag("--apply", help="Do it. Without this option the command only says what it would do.")]
LogFormat = Annotated[Literal["text", "json"] | None, typer.Option(help="Log lines for people, or JSON for machines.")]
