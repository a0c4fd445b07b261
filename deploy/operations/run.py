"""Runs of operations: each says what it will do, does it if it is to be applied, and is recorded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

from deploy.operations.installation import OpenInstallation
from deploy.operations.journal import Journal
from schemas.envelope import Receipt
from schemas.message import Command
from schemas.values.storable import check_storable
from streams.settings import Settings

Style = Literal["plain", "good", "warning", "bad"]
Show = Callable[[int, int], None]
"""Takes how much is done, and of how much."""
Facts = Mapping[str, Any]
"""Values of JSON, by name."""


class Parameters(BaseModel):
    """The parameters of an operation or a reading, as HTTP and the command line take them; its values can be stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="after")
    def _can_be_stored(self) -> "Parameters":
        check_storable(self)
        return self


class Output(Protocol):
    """Shows a run while it goes on."""

    def say(self, text: str, style: Style) -> None:
        """Shows a sentence."""

    def show_progress(self, what: str, done: int, total: int, unit: str) -> None:
        """Shows how much of something is done; ``unit`` is the plural of what is counted."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    remaining: str | None = None
    """The part that could not be done; ``None`` if everything was done."""
    after: Facts = field(default_factory=dict)
    """How that is what it changed, or would be; it is recorded."""
    answer: Any = None
    """Its findings, as values of JSON; they are not recorded."""
    is_planned: bool = False
    """Whether it was only tried, and would change something; set by `Operation.run`."""


class Run:
    """One run of an operation on an installation."""

    def __init__(
        self,
        id: UUID,
        operation: str,
        recorded: Facts,
        installation: OpenInstallation,
        out: Output,
        journal: Journal | None,
    ) -> None:
        """``recorded`` are the parameters as they are recorded; without a ``journal`` the operation is only tried."""
        self.id, self.installation = id, installation
        self.is_begun = False
        """Whether it is recorded and may change things."""
        self.is_planned = False
        """Whether it would have begun, and is only tried."""
        self._operation, self._recorded, self._out, self._journal = operation, recorded, out, journal

    @property
    def settings(self) -> Settings:
        """The settings of the installation."""
        return self.installation.settings

    @property
    def is_applied(self) -> bool:
        """Whether it is to be done, and not only tried."""
        return self._journal is not None

    @property
    def reason(self) -> str:
        """Why it is done, in the operator's words; empty for one that is only tried."""
        return "" if self._journal is None else self._journal.reason

    def say(self, text: str, style: Style = "plain") -> None:
        """Shows a sentence."""
        self._out.say(text, style)

    def progress_of(self, what: str, unit: str) -> Show:
        """Returns a function that shows how much of something is done; ``unit`` is the plural of what is counted."""
        return lambda done, total: self._out.show_progress(what, done, total, unit)

    async def begin(self, before: Facts | None = None) -> bool:
        """Returns whether to do what was just said; if so, it is recorded with how everything was before.

        Raises `Unavailable` if it cannot be recorded: then nothing may be changed.
        """
        if self._journal is None:
            self.is_planned = True
            return False
        await self._journal.begin(self.id, self._operation, self._recorded, before or {})
        self.is_begun = True
        return True

    async def issue(self, command: Command) -> Receipt:
        """Handles a command in the name of the operator, in this process; raises the handler's errors."""
        assert self._journal is not None, "only what has begun changes something"
        return await self._journal.issuer.issue(command, self._journal.actor)
