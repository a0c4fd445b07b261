"""Settings of a command: those of the environment, joined to the local stack unless they name a database."""

import os
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.console import Console

from deploy.console.async_command import print_error
from deploy.console.endpoints import Endpoints, running_stack
from schemas.errors import Misconfigured, NotFound
from streams.settings import Settings, unknown_variables


def read_settings(log_format: str | None = None) -> Settings:
    """Returns the settings of the environment; ends the process with 2 and names each variable that cannot be read."""
    for warning in unknown_variables(os.environ):
        Console(stderr=True).print(f"caudal: {warning}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    try:
        return Settings(**({} if log_format is None else {"log_format": log_format}))  # type: ignore[arg-type]
    except Misconfigured as error:
        print_error(error.detail)
        raise typer.Exit(2) from error
    except ValidationError as error:
        for found in error.errors():
            name = "_".join(["CAUDAL", *(str(part).upper() for part in found["loc"])])
            print_error(f"{name}: {found['msg']}")
        raise typer.Exit(2) from error


def settings_of(data_dir: Path) -> Settings:
    """Returns the settings that lead to the database that the environment names, else to the stack that runs from ``data_dir``.

    Raises `NotFound` if there is neither.
    """
    return connected(read_settings(), data_dir.resolve())


def settings_or_stack(data_dir: Path, log_format: str | None = None) -> Settings:
    """Returns the same settings, or those of the default database if there is neither."""
    settings = read_settings(log_format)
    stack = None if _names_a_database(settings) else running_stack(data_dir.resolve())
    return settings if stack is None else stack.applied_to(settings)


def connected(settings: Settings, data_dir: Path, otherwise: str = "name a database in CAUDAL_WRITE_DSN") -> Settings:
    """Settings that lead to the database that they name, else to the running stack.

    Raises `NotFound` without either, with the other thing that an operator can do.
    """
    if _names_a_database(settings):
        return settings
    stack = running_stack(data_dir)
    if stack is not None:
        return stack.applied_to(settings)
    raise NotFound(f"no stack runs from {data_dir}: start one with `caudal up`, or {otherwise}")


def _names_a_database(settings: Settings) -> bool:
    return not {"write_dsn", "write_dsns"}.isdisjoint(settings.model_fields_set)


def stack_of(settings: Settings, data_dir: Path) -> Endpoints | None:
    """Returns the stack that runs from ``data_dir`` if these settings lead to it."""
    stack = running_stack(data_dir.resolve())
    return stack if stack is not None and stack.postgres == settings.write_dsn else None
