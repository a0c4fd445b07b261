"""Policies: whenever this happens, ask for that. Stateless; one event in, commands out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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

    def react(self, recorded: RecordedEvent[Event], full_name: str | None = None) -> tuple[tuple[UUID, Command], ...]:
        """The commands that an event asks for, each with the id that it will have however often this is repeated.

        ``full_name`` is the policy's name with its system's, which tells it from other systems' policies.
        """
        reaction = self.reactions.get(type(recorded.data))
        if reaction is None:
            return ()
        name = full_name or self.name
        return tuple((_command_id(name, recorded, n), command) for n, command in enumerate(reaction(recorded)))

    def after(
        self, recorded: RecordedEvent[Event], ordinal: int, answered: UUID, rejection: Rejection | None
    ) -> tuple[UUID, Command] | None:
        """What follows upon the answer to one of an event's commands, with its id, which is always the same."""
        if self.on_outcome is None:
            return None
        return uuid5(answered, "answered"), self.on_outcome(recorded, ordinal, answered, rejection)


def _command_id(policy: str, cause: RecordedEvent[Event], ordinal: int) -> UUID:
    return uuid5(_POLICY_COMMANDS, f"{policy}/{cause.id}/{ordinal}")
