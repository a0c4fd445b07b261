"""Policies: whenever this happens, ask for that. Stateless; one event in, commands out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid5

from schemas.envelope import RecordedEvent, Rejection
from schemas.message import Command, Event

_POLICY_COMMANDS = UUID("6f1d3f0e-5f0c-5c1e-9f4b-0d6c3a1b7e52")


@dataclass(frozen=True, slots=True)
class Policy:
    """A named reaction to events of one or more contexts."""

    name: str
    """Unique within its system; never reused, because the policy's checkpoint is kept under it."""
    reactions: Mapping[type[Event], Callable[[RecordedEvent[Any]], Iterable[Command]]]
    on_outcome: Callable[[RecordedEvent[Any], int, UUID, Rejection | None], Command] | None = None
    """The command that follows an outcome: from the event, which of its commands, that command's id, and its rejection."""

    system: str = ""
    """Given at discovery."""

    @property
    def full_name(self) -> str:
        """``system.policy``. The policy's checkpoints and the ids of its commands rest on it."""
        return f"{self.system}.{self.name}" if self.system else self.name

    def of(self, system: str) -> "Policy":
        """Returns this policy as one of a system."""
        return replace(self, system=system)

    def react(self, recorded: RecordedEvent[Event]) -> tuple[tuple[UUID, Command], ...]:
        """Returns the commands for an event, each with the id that it has however often this is repeated."""
        reaction = self.reactions.get(type(recorded.data))
        if reaction is None:
            return ()
        return tuple((_command_id(self.full_name, recorded, n), command) for n, command in enumerate(reaction(recorded)))

    def after(
        self, recorded: RecordedEvent[Event], ordinal: int, answered: UUID, rejection: Rejection | None
    ) -> tuple[UUID, Command] | None:
        """What follows upon the answer to one of an event's commands, with its id, which is always the same."""
        if self.on_outcome is None:
            return None
        return uuid5(answered, "answered"), self.on_outcome(recorded, ordinal, answered, rejection)


def _command_id(policy: str, cause: RecordedEvent[Event], ordinal: int) -> UUID:
    return uuid5(_POLICY_COMMANDS, f"{policy}/{cause.id}/{ordinal}")
