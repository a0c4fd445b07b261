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

    def react(self, recorded: Recorded[Event], full_name: str | None = None) -> tuple[tuple[UUID, Command], ...]:
        """The commands that an event asks for, each with the id that it will have however often this is repeated.

        ``full_name`` is the policy's name with its system's, which tells it from other systems' policies.
        """
        reaction = self.reactions.get(type(recorded.event))
        if reaction is None:
            return ()
        name = full_name or self.name
        return tuple((_command_id(name, recorded, n), command) for n, command in enumerate(reaction(recorded)))


def _command_id(policy: str, cause: Recorded[Event], ordinal: int) -> UUID:
    return uuid5(_POLICY_COMMANDS, f"{policy}/{cause.id}/{ordinal}")
