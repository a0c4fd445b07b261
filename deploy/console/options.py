"""What the ``caudal`` command's parts have in common: options, settings, and how they end."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from schemas.errors import CaudalError, Misconfigured
from streams.settings import Settings, unknown_variables

T = TypeVar("T")
DEFAULT_DATA_DIR = Path(".caudal")
DataDir = Annotated[Path, typer.Option("--data-dir", help="Folder for the data and the logs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def read_settings(log_format: str | None = None) -> Settings:
    """The settings of the environment; leaves with 2 and names the variables where some cannot be read."""
    for warning in unknown_variables(os.environ):
        Console(stderr=True).print(f"caudal: {warning}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    try:
        return Settings(**({} if log_format is None else {"log_format": log_format}))  # type: ignore[arg-type]
    except Misconfigured as error:
        Console(stderr=True).print(f"caudal: {error.detail}", style="red", highlight=False, markup=False)
        raise typer.Exit(2) from error
    except ValidationError as error:
        for found in error.errors():
            name = "_".join(["CAUDAL", *(str(part).upper() for part in found["loc"])])
            Console(stderr=True).print(f"caudal: {name}: {found['msg']}", style="red", highlight=False)
        raise typer.Exit(2) from error


def complaining(work: Callable[[], T]) -> T:
    """What the work returns; leaves with 1 and the reason where it raises one of Caudal's errors."""
    try:
        return work()
    except CaudalError as error:
        Console(stderr=True).print(f"caudal: {error.detail}", style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def exit_with(code: int) -> None:
    """Leaves with a code, unless it is 0."""
    if code:
        raise typer.Exit(code)
