"""The state of one saga, which its steps in the log add up to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from aggregates.sagas.successors import Handled
from aggregates.state import State
from aggregates.stream import Stream
from schemas.engine.sagas import ENDED, CommandData, CommandOutcome, SagaAdvanced, SagaInput, SentCommand, Status

_SAGAS = UUID("c2f0a9a4-6e0e-5d55-9a55-0d3f2f6f5b10")


def saga_id(saga: str, key: str) -> str:
    """Returns the public id of the saga of a definition (by its full name) and a key."""
    return str(uuid5(_SAGAS, f"{saga}/{key}"))


class DeferredInput(BaseModel):
    """An input that a saga could not react to yet."""

    model_config = ConfigDict(frozen=True)

    input: SagaInput
    outcome: CommandOutcome | None


class SentCommands(BaseModel):
    """The commands that a saga sent: in flight, to be compensated, not compensated."""

    model_config = ConfigDict(frozen=True)

    in_flight: Mapping[int, SentCommand] = {}
    """Commands without an outcome, by number."""
    compensations: Mapping[int, CommandData] = {}
    """The compensations of the accepted commands, by the numbers of those commands."""
    failed_compensations: Mapping[int, str] = {}
    """Commands whose compensation was rejected, by number, and why."""
    newest: int = 0

    def add(self, sent: SentCommand) -> "SentCommands":
        """Returns them with one more command in flight."""
        failed = {number: why for number, why in self.failed_compensations.items() if number != sent.compensates}
        return self.model_copy(
            update={
                "in_flight": {**self.in_flight, sent.number: sent},
                "failed_compensations": failed,
                "newest": max(self.newest, sent.number),
            }
        )

    def acknowledge(self, outcome: CommandOutcome) -> "SentCommands":
        """Returns them after the outcome of a command; one that is not in flight changes nothing."""
        if (sent := self.in_flight.get(outcome.number)) is None:
            return self
        changes: dict[str, Any] = {"in_flight": {n: one for n, one in self.in_flight.items() if n != outcome.number}}
        if sent.compensates is not None and outcome.rejection is None:
            changes["compensations"] = {n: one for n, one in self.compensations.items() if n != sent.compensates}
        elif sent.compensates is not None:
            changes["failed_compensations"] = {**self.failed_compensations, sent.compensates: outcome.rejection or ""}
        elif sent.compensation is not None and outcome.rejection is None:
            changes["compensations"] = {**self.compensations, sent.number: sent.compensation}
        return self.model_copy(update=changes)


class Saga(State, snapshot_every=50):
    """One saga: its state, the commands that it sent, and the inputs that it could not react to yet."""

    definition: str | None = None
    """Full name of its definition."""
    key: str = ""
    """The key by which its events found it."""
    state: dict[str, Any] | None = None
    state_version: int = 1
    status: Status = "running"
    ending: Status | None = None
    reason: str | None = None
    seen: frozenset[UUID] = frozenset()
    """Ids of the events that arrived."""
    handled: dict[UUID, Handled] = {}
    """Events that it reacted to, in the order in which they may follow one another."""
    deferred: dict[UUID, DeferredInput] = {}
    """Inputs that it still has to react to, in the order in which they arrived."""
    commands: SentCommands = SentCommands()
    timers: dict[str, datetime] = {}

    @property
    def has_ended(self) -> bool:
        """Whether the saga has ended."""
        return self.status in ENDED

    @property
    def is_ending(self) -> bool:
        """Whether the saga has ended or is being compensated."""
        return self.has_ended or self.ending is not None


def evolve(saga: Saga, step: SagaAdvanced) -> Saga:
    """Returns the saga after a step."""
    commands = saga.commands if step.outcome is None else saga.commands.acknowledge(step.outcome)
    for sent in step.sent:
        commands = commands.add(sent)
    gone = {step.input.id, *step.dropped}
    deferred = {id: one for id, one in saga.deferred.items() if id not in gone}
    if step.deferred:
        deferred[step.input.id] = DeferredInput(input=step.input, outcome=step.outcome)
    timers = {name: due for name, due in saga.timers.items() if name not in step.timers_cancelled}
    is_event = step.input.kind == "event"
    return saga.replace(
        definition=step.saga,
        key=step.key,
        state=step.state,
        state_version=step.state_version,
        status=step.status,
        ending=step.ending,
        reason=step.reason,
        seen=saga.seen | {step.input.id} if is_event else saga.seen,
        handled=_handled(saga.handled, step) if step.step_status == "handled" else saga.handled,
        deferred=deferred,
        commands=commands,
        timers={**timers, **step.timers_set},
    )


def _handled(handled: dict[UUID, Handled], step: SagaAdvanced) -> dict[UUID, Handled]:
    found = dict(handled)
    if step.input.kind == "event":
        found[step.input.id] = Handled(name=step.input.name)
    if step.follows is not None and step.follows in found:
        before = found[step.follows]
        found[step.follows] = Handled(name=before.name, followed_by=before.followed_by | {step.input.name})
    return found


SAGA = Stream("saga", Saga, evolve)
