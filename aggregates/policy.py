"""Policies: stateless reactions to events by commands."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from schemas.envelope import RecordedEvent, Rejection
from schemas.message import Command, Event

_POLICY_COMMANDS = UUID("6f1d3f0e-5f0c-5c1e-9f4b-0d6c3a1b7e52")


@dataclass(frozen=True, slots=True)
class Policy:
    """A named reaction to events of one or more contexts: ``Policy("welcome-users", {UserCreated: welcome})``."""

    name: str
    """Unique within its system. The policy's checkpoint is kept under it, so a name is not reused for another policy."""
    reactions: Mapping[type[Event], Callable[[RecordedEvent[Any]], Iterable[Command]]]
    on_outcome: Callable[[RecordedEvent[Any], int, UUID, Rejection | None], Command] | None = None
    """The command that follows an outcome: from the event, which of its commands, that command's id, and its rejection."""

    system: str = ""
    """Set by `Domain.of`."""

    @property
    def full_name(self) -> str:
        """``system.policy``. The policy's checkpoints and the ids of its commands depend on it."""
        return f"{self.system}.{self.name}" if self.system else self.name

    def of(self, system: str) -> "Policy":
        """Returns this policy as one of a system."""
        return replace(self, system=system)

    def react(self, recorded: RecordedEvent[Event]) -> tuple[tuple[UUID, Command], ...]:
        """Returns the commands that follow from an event, each with its id, which is the same at every repeat."""
        reaction = self.reactions.get(type(recorded.data))
        if reaction is None:
            return ()
        return tuple((_command_id(self.full_name, recorded, n), command) for n, command in enumerate(reaction(recorded)))

    def after(
        self, recorded: RecordedEvent[Event], ordinal: int, command_id: UUID, rejection: Rejection | None
    ) -> tuple[UUID, Command] | None:
        """Returns the command that follows from the outcome of one of an event's commands, with its id; ``None`` for none."""
        if self.on_outcome is None:
            return None
        return uuid5(command_id, "answered"), self.on_outcome(recorded, ordinal, command_id, rejection)


def _command_id(policy: str, cause: RecordedEvent[Event], ordinal: int) -> UUID:
    return uuid5(_POLICY_COMMANDS, f"{policy}/{cause.id}/{ordinal}")
