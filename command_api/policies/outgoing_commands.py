"""Outgoing commands: a policy's reactions to events, each with the command that follows its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from aggregates.policy import Policy
from command_api.clock import now
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope, RecordedEvent, Rejection
from schemas.errors import TooLarge, Unavailable
from schemas.message import Command, Event
from schemas.system import ContextName
from streams.log.reading import AppendableLog
from streams.log.stored_events import ENVELOPE_BYTES, MAX_RECORD_BYTES
from streams.telemetry.tracing import traced

_log = structlog.get_logger()

Outcomes = Mapping[UUID, Rejection | None]
"""By command id: the rejection, ``None`` for an accepted command. A command without a receipt is missing."""


@dataclass(frozen=True, slots=True)
class OutgoingCommand:
    """A command for its context's topic."""

    context: ContextName
    envelope: CommandEnvelope[Command]
    key: str
    """Commands of the same key are handled in order."""
    position: int
    """Position of the event that it answers."""
    bytes: int
    """Size of its JSON."""
    on_outcome: Callable[[Rejection | None], OutgoingCommand | None] = lambda _: None
    """Returns the command that follows once this one has its receipt."""

    @property
    def id(self) -> UUID:
        """The command's id, by which its receipt is found."""
        return self.envelope.id


class OutgoingCommands:
    """Makes the commands of one policy."""

    def __init__(self, catalog: Catalog, policy: Policy, max_command_bytes: int = MAX_RECORD_BYTES - ENVELOPE_BYTES) -> None:
        self._catalog, self._policy, self._max_command_bytes = catalog, policy, max_command_bytes

    def of(self, event: RecordedEvent[Event]) -> list[OutgoingCommand]:
        """Returns the commands for an event.

        Raises what the policy's reaction raises, and `TooLarge` for a command that its topic would not accept.
        """
        with traced(f"react {self._policy.full_name}", event.metadata.traceparent, "process") as traceparent:
            commands = [
                self._outgoing(event, id, command, traceparent, self._follower(event, ordinal, id, traceparent))
                for ordinal, (id, command) in enumerate(self._policy.react(event))
            ]
        for command in commands:
            if command.bytes > self._max_command_bytes:
                name = command.envelope.data.message_name
                raise TooLarge(f"the command {name} has {command.bytes} bytes, more than {self._max_command_bytes}")
        return commands

    def _follower(
        self, event: RecordedEvent[Event], ordinal: int, id: UUID, traceparent: str | None
    ) -> Callable[[Rejection | None], OutgoingCommand | None]:
        def on_outcome(rejection: Rejection | None) -> OutgoingCommand | None:
            found = self._policy.after(event, ordinal, id, rejection)
            return None if found is None else self._outgoing(event, *found, traceparent)

        return on_outcome

    def _outgoing(
        self,
        event: RecordedEvent[Event],
        id: UUID,
        command: Command,
        traceparent: str | None,
        on_outcome: Callable[[Rejection | None], OutgoingCommand | None] = lambda _: None,
    ) -> OutgoingCommand:
        envelope = CommandEnvelope(
            data=command,
            id=id,
            at=now(),
            correlation_id=event.metadata.correlation_id,
            causation_id=str(event.id),
            actor=event.metadata.actor,
            traceparent=traceparent,
            policy=self._policy.full_name,
        )
        context, size = self._catalog.context_of(type(command)), len(command.model_dump_json().encode())
        return OutgoingCommand(context, envelope, event.stream, event.position, size, on_outcome)


async def outcomes_of(logs: Mapping[ContextName, AppendableLog], commands: Iterable[OutgoingCommand]) -> Outcomes:
    """Returns the outcomes of commands from the receipts in their logs; those in a log that is out of reach are missing."""
    by_context: dict[ContextName, list[UUID]] = {}
    for command in commands:
        by_context.setdefault(command.context, []).append(command.id)
    found: dict[UUID, Rejection | None] = {}
    for context, ids in by_context.items():
        try:
            found |= await logs[context].answers(ids)
        except Unavailable as error:
            _log.debug("receipts not read", context=str(context), why=error.detail)
    return found


def followers(commands: Iterable[OutgoingCommand], outcomes: Outcomes) -> list[OutgoingCommand]:
    """Returns the commands that follow those that have an outcome."""
    return [found for one in commands if one.id in outcomes and (found := one.on_outcome(outcomes[one.id])) is not None]
