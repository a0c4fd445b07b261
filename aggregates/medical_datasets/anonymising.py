"""Anonymising: a saga from a request to its dataset, or to nothing.

::

    AnonymisationStarted ─ AnonymiseImage ─▶ ImageAnonymised ─ MapPacket ─▶ ParquetMapped ─ BuildDataset ─▶ DatasetCreated
                             ▲ rolled back                       ▲ rolled back
                             └───────────────────────────────────┴── a later step failed, or took too long

A Parquet file that a client asked for begins in the middle.
"""

from datetime import timedelta
from uuid import UUID

from aggregates.medical_datasets import notifications
from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.state import State
from schemas.engine.sagas import SagaInput
from schemas.medical_datasets.anonymisation import (
    AnonymisationFailed,
    AnonymisationStarted,
    AnonymiseImage,
    ImageAnonymised,
    ImagePostponed,
    RollbackAnonymisation,
)
from schemas.medical_datasets.mapping import MapPacket, MappingFailed, MappingStarted, ParquetMapped, RollbackMapping
from schemas.medical_datasets.notifications import Kind
from schemas.medical_datasets.parts import Packet
from schemas.medical_datasets.processing import BuildDataset, DatasetCreated, ProcessingFailed, RollbackProcessing
from schemas.message import Command
from schemas.values.times import later

_WITHIN = timedelta(seconds=60)
STEP, AGAIN = "step", "again"
"""The timers of the step that is in progress, and of the next attempt to fetch an image."""


class Anonymising(State):
    """One request on its way to being a dataset."""

    saga_id: UUID | None = None
    token: UUID | None = None
    packet: Packet = Packet()
    image_url: str | None = None
    attempt: int = 1
    is_of_client: bool = False
    """Whether it began with a Parquet file that a client asked for: no command of its own is compensated for it."""


def started(_: Anonymising, event: AnonymisationStarted, input: SagaInput) -> Transition[Anonymising]:
    state = Anonymising(saga_id=event.saga_id, token=event.token, packet=event.packet, image_url=event.image_url)
    return Transition(state, send=[Send(_fetch(state), RollbackAnonymisation(saga_id=event.saga_id))])


def postponed(state: Anonymising, event: ImagePostponed, input: SagaInput) -> Transition[Anonymising]:
    return Transition(state.replace(attempt=event.attempt + 1), set_timers={AGAIN: event.again_at})


def again(state: Anonymising, input: SagaInput) -> Transition[Anonymising]:
    return Transition(state, send=[Send(_fetch(state))])


def anonymised(state: Anonymising, event: ImageAnonymised, input: SagaInput) -> Transition[Anonymising]:
    send = MapPacket(saga_id=event.saga_id, token=event.token, packet=state.packet, image=event.file)
    compensation = RollbackMapping(saga_id=event.saga_id)
    return Transition(state, send=[Send(send, compensation)], set_timers={STEP: later(input.at, _WITHIN)})


def mapping_started(state: Anonymising, event: MappingStarted, input: SagaInput) -> Transition[Anonymising]:
    """Begins here for a Parquet file that a client asked for."""
    if state.saga_id is not None:
        return Transition(state)
    return Transition(Anonymising(saga_id=event.saga_id, token=event.token, packet=event.packet, is_of_client=True))


def mapped(state: Anonymising, event: ParquetMapped, input: SagaInput) -> Transition[Anonymising]:
    build = BuildDataset(saga_id=event.saga_id, token=state.token, packet=state.packet)
    compensation = RollbackProcessing(saga_id=event.saga_id)
    return Transition(state, send=[Send(build, compensation)], set_timers={STEP: later(input.at, _WITHIN)})


def created(state: Anonymising, event: DatasetCreated, input: SagaInput) -> Transition[Anonymising]:
    return Transition(state, status="completed", cancel_timers=(STEP,))


def failed(
    state: Anonymising, event: AnonymisationFailed | MappingFailed | ProcessingFailed, input: SagaInput
) -> Transition[Anonymising]:
    return _failed(state, event.reason)


def too_late(state: Anonymising, input: SagaInput) -> Transition[Anonymising]:
    kind: Kind = "dataset_took_too_long" if state.is_of_client else "took_too_long"
    return _failed(state, "a step took too long", notifications.request(kind, state.saga_id))


def _failed(state: Anonymising, reason: str, *send: Command) -> Transition[Anonymising]:
    assert state.saga_id is not None, "the saga starts with it"
    own = (RollbackMapping(saga_id=state.saga_id),) if state.is_of_client else ()
    return Transition(
        state, send=[Send(one) for one in (*own, *send)], status="failed", reason=reason, cancel_timers=(STEP, AGAIN)
    )


def _fetch(state: Anonymising) -> AnonymiseImage:
    assert state.saga_id is not None and state.token is not None, "the saga starts with them"
    return AnonymiseImage(
        saga_id=state.saga_id,
        token=state.token,
        packet=state.packet,
        image_url=state.image_url,
        attempt=state.attempt,
    )


ANONYMISING: SagaDefinition[Anonymising] = SagaDefinition(
    "anonymisation",
    Anonymising,
    {
        AnonymisationStarted: Reaction("saga_id", started, starts=True),
        ImagePostponed: Reaction("saga_id", postponed),
        ImageAnonymised: Reaction("saga_id", anonymised),
        AnonymisationFailed: Reaction("saga_id", failed),
        MappingStarted: Reaction("saga_id", mapping_started, starts=True),
        ParquetMapped: Reaction("saga_id", mapped),
        MappingFailed: Reaction("saga_id", failed),
        DatasetCreated: Reaction("saga_id", created),
        ProcessingFailed: Reaction("saga_id", failed),
    },
    on_timer={STEP: too_late, AGAIN: again},
    references=("saga_id", "token"),
    events_follow_start=True,
)
