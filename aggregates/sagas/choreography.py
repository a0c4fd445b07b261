"""Choreography: a process that nobody leads, held against a table of which event may follow which."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel

from aggregates.sagas.definition import ENGLISH, Ids, Next, On, SagaDefinition, Words
from aggregates.sagas.successors import Rules
from schemas.engine.sagas import Cause
from schemas.message import Event

Verdict = Literal["completed", "failed", "in_review"]


class Sequel(BaseModel):
    """What is known of a process that nobody leads: the ids of what it is about."""

    temporary_id: str | None = None
    real_id: str | None = None


def choreography(
    name: str,
    rules: Rules,
    *,
    key: Callable[[Any], str | None],
    begins: Sequence[type[Event]],
    verdicts: Mapping[type[Event], Verdict],
    ids: Callable[[Any], Ids] = lambda _: Ids(),
    words: Words = ENGLISH,
) -> SagaDefinition[Sequel]:
    """A process manager for a process that nobody leads: each service reacts to the others' events.

    It sends nothing: it holds what happens against the rules, and reports what is outside them. ``key`` tells which process an
    event belongs to, ``verdicts`` what becomes of a process with an event (others leave it running), ``ids`` the ids that an
    event tells of what the process is about.
    """

    def take(sequel: Sequel, event: Event, cause: Cause) -> Next[Sequel]:
        told = ids(event)
        known = Sequel(temporary_id=told.temporary or sequel.temporary_id, real_id=told.real or sequel.real_id)
        return Next(known, status=verdicts.get(type(event), "running"))

    return SagaDefinition(
        name,
        Sequel,
        {event: On(key, take, begins=event in begins) for event in rules},
        rules=rules,
        ids=lambda sequel: Ids(sequel.temporary_id, sequel.real_id),
        ends=False,
        words=words,
    )
