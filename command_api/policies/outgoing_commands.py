"""OutgoingCommands: the commands that a policy asks for, each with what follows upon its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from aggregates.policy import Policy
from command_api.clock import now
from schemas.catalog import Catalog, ContextName
from schemas.envelope import CommandEnvelope, RecordedEvent, Rejection
from schemas.message import Command, Event
from streams.log.reading import AppendableLog
from streams.telemetry.tracing import traced


@dataclass(frozen=True, slots=True)
class OutgoingCommand:
    """A command on its way to its context."""

    context: ContextName
    issued: CommandEnvelope[Command]
    key: str
    """What is ordered by the same key is handled in order."""
    on_outcome: Callable[[Rejection | None], OutgoingCommand | None] = lambda _: None
    """What to order once the command is answered."""


class OutgoingCommands:
    """Makes one policy's orders."""

    def __init__(self, catalog: Catalog, policy: Policy, name: str) -> None:
        self._catalog, self._policy, self._name = catalog, policy, name

    def of(self, recorded: RecordedEvent[Event]) -> list[OutgoingCommand]:
        """What an event asks for; raises whatever the policy's reaction raises."""
        with traced(f"react {self._name}", recorded.metadata.traceparent, "process") as traceparent:
            return [
                self._order(recorded, id, command, traceparent, self._follow_up(recorded, ordinal, id, traceparent))
                for ordinal, (id, command) in enumerate(self._policy.react(recorded, self._name))
            ]

    def _follow_up(
        self, recorded: RecordedEvent[Event], ordinal: int, id: UUID, traceparent: str | None
    ) -> Callable[[Rejection | None], OutgoingCommand | None]:
        def on_outcome(rejection: Rejection | None) -> OutgoingCommand | None:
            found = self._policy.after(recorded, ordinal, id, rejection)
            return None if found is None else self._order(recorded, *found, traceparent)

        return on_outcome

    def _order(
        self,
        recorded: RecordedEvent[Event],
        id: UUID,
        command: Command,
        traceparent: str | None,
        on_outcome: Callable[[Rejection | None], OutgoingCommand | None] = lambda _: None,
    ) -> OutgoingCommand:
        why = recorded.metadata
        issued = CommandEnvelope(
            data=command,
            id=id,
            at=now(),
            correlation_id=why.correlation_id,
            causation_id=str(recorded.id),
            actor=why.actor,
            traceparent=traceparent,
        )
        return OutgoingCommand(self._catalog.context_of(type(command)), issued, recorded.stream, on_outcome)


async def answers(logs: Mapping[ContextName, AppendableLog], orders: Iterable[OutgoingCommand]) -> dict[UUID, Rejection | None]:
    """How commands were answered, by their ids: ``None`` for an accepted one; those without a receipt are missing."""
    by_context: dict[ContextName, list[UUID]] = {}
    for order in orders:
        by_context.setdefault(order.context, []).append(order.issued.id)
    found: dict[UUID, Rejection | None] = {}
    for context, ids in by_context.items():
        found |= await logs[context].answers(ids)
    return found
