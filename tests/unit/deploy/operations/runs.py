"""An operation of a test's own, and fakes of the engine's log and of an output."""

from typing import Any, cast
from uuid import UUID

from deploy.operations.installation import OpenInstallation
from deploy.operations.journal import Journal
from deploy.operations.operation import Operation
from deploy.operations.run import Parameters, Result, Run, Style
from schemas.errors import Rejected, Unavailable
from schemas.message import Command

INSTALLATION = cast(OpenInstallation, None)
ONE = UUID(int=1)


class Count(Parameters):
    """How far to count."""

    to: int = 3
    secret: str = ""


async def count(run: Run, wanted: Count) -> Result:
    """Counts. It is an example."""
    run.say(f"It counts to {wanted.to}.")
    if wanted.to < 0:
        raise Rejected("it counts upwards")
    if not await run.begin({"at": 0}):
        return Result(after={"at": wanted.to})
    show = run.progress_of("counting", "numbers")
    for number in range(1, wanted.to + 1):
        show(number, wanted.to)
    if wanted.to > 100:
        raise RuntimeError("too far")
    run.say("Done.", "good")
    return Result("a number is missing" if wanted.to == 13 else None, {"at": wanted.to}, ["answer"])


COUNT = Operation("numbers/count", Count, count, recorded=lambda wanted: {"to": wanted.to})


class FakeIssuer:
    """Keeps the commands that it is given, unless it is out of reach."""

    def __init__(self, *, out_of_reach_for: type[Command] | None = None) -> None:
        self.recorded: list[tuple[Command, str]] = []
        self._out_of_reach_for = out_of_reach_for

    async def issue(self, command: Command, actor: str) -> Any:
        if self._out_of_reach_for is not None and isinstance(command, self._out_of_reach_for):
            raise Unavailable("the database is out of reach")
        self.recorded.append((command, actor))


def journal(issuer: FakeIssuer, reason: str = "why") -> Journal:
    return Journal(cast(Any, issuer), "ana", reason)


class Said:
    """An output that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Style]] = []
        self.progress: list[tuple[str, int, int, str]] = []

    def say(self, text: str, style: Style) -> None:
        self.lines.append((text, style))

    def show_progress(self, what: str, done: int, total: int, unit: str) -> None:
        self.progress.append((what, done, total, unit))
