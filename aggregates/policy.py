"""Policies: whenever this happens, ask for that. Stateless; one event in, commands out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from schemas.envelope import Recorded
from schemas.message import Command, Event

_POLICY_COMMANDS = UUID("6f1d3f0e-5f0c-5c1e-9f4b-0d6c3a1b7e52")


@dataclass(frozen=True, slots=True)
class Policy:
    """A named reaction to events of one or more contexts."""

    name: str
    """Unique within its system; never reused, because the policy's checkpoint is kept under it."""
    reactions: Mapping[type[Event], Callable[[Recorded[Any]], Iterable[Command]]]

    def react(self, recorded: Recorded[Event]) -> tuple[tuple[UUID, Command], ...]:
        """The commands that an event asks for, each with the id that it will have however often this is repeated."""
        reaction = self.reactions.get(type(recorded.event))
        if reaction is None:
            return ()
        return tuple((self._command_id(recorded, n), command) for n, command in enumerate(reaction(recorded)))

    def _command_id(self, cause: Recorded[Event], ordinal: int) -> UUID:
        return uuid5(_POLICY_COMMANDS, f"{self.name}/{cause.id}/{ordinal}")
