"""Commands as coroutine functions, and the way in which a command ends with an error."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import typer
import uvloop
from rich.console import Console

from schemas.errors import CaudalError

P = ParamSpec("P")


@contextmanager
def report_errors() -> Iterator[None]:
    """Prints one of Caudal's errors to standard error and ends the process with code 1; also usable as a decorator."""
    try:
        yield
    except CaudalError as error:
        print_error(error.detail)
        raise typer.Exit(1) from error


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
