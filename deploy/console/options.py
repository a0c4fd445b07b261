"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DEFAULT_DATA_DIR = Path(".caudal")
DataDir = Annotated[Path, typer.Option("--data-dir", help="Folder of the local stack's data and logs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it. Without this option the command only says what it would do.")]
LogFormat = Annotated[Literal["text", "json"] | None, typer.Option(help="Log lines for people, or JSON for machines.")]
