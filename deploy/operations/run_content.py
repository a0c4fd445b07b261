"""The content of a run, as the command line prints it in JSON and as HTTP answers with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from uuid_utils.compat import uuid7

from deploy.operations.operation import Operation
from deploy.operations.run import Parameters, Result, Style
from schemas.engine.operations import Outcome

P = TypeVar("P", bound=Parameters)
State = Literal["running", "planned"] | Outcome
"""``planned``: it was only tried, and has said what it would do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence that a run said."""

    text: str
    style: Style


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of something is done."""

    what: str
    done: int
    total: int
    unit: str
    """The plural of what is counted."""


@dataclass(slots=True, kw_only=True)
class RunContent:
    """Everything about one run; it grows until the run ends."""

    id: str
    operation: str
    parameters: Mapping[str, Any]
    actor: str
    reason: str = ""
    is_applied: bool
    """``False``: it is only tried."""
    state: State = "running"
    lines: list[Line] = field(default_factory=list)
    progress: Progress | None = None
    problem: str | None = None
    """Why it failed, or the part that could not be done."""
    after: Mapping[str, Any] = field(default_factory=dict)
    answer: Any = None
    began_at: datetime
    ended_at: datetime | None = None

    @classmethod
    def new(cls, operation: Operation[P], parameters: P, actor: str, reason: str, *, apply: bool) -> "RunContent":
        """Returns the content of a run that begins now, under a new id."""
        return cls(
            id=str(uuid7()),
            operation=operation.name,
            parameters=operation.recorded(parameters),
            actor=actor,
            reason=reason,
            is_applied=apply,
            began_at=datetime.now(UTC),
        )


class RunRecorder:
    """Keeps what a run says, and calls back at each change."""

    def __init__(self, content: RunContent, changed: Callable[[], None] = lambda: None) -> None:
        self.content, self._changed = content, changed

    def say(self, text: str, style: Style) -> None:
        """Keeps a sentence."""
        self.content.lines.append(Line(text, style))
        self._changed()

    def show_progress(self, what: str, done: int, total: int, unit: str) -> None:
        """Keeps how much is done."""
        self.content.progress = Progress(what, done, total, unit)
        self._changed()

    def end(self, result: Result) -> None:
        """Keeps how the run ended."""
        self._end("planned" if result.is_planned else "incomplete" if result.remaining else "done", result.remaining)
        self.content.after, self.content.answer = result.after, result.answer
        self._changed()

    def fail(self, problem: str) -> None:
        """Keeps why the run failed."""
        self._end("failed", problem)
        self._changed()

    def _end(self, state: State, problem: str | None) -> None:
        self.content.state, self.content.problem, self.content.progress = state, problem, None
        self.content.ended_at = datetime.now(UTC)
