"""Choreography: which event may follow which in a process, each of them once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from aggregates.process_manager import ENGLISH, Ids, Next, On, OutsideTheRules, ProcessManager, Rules, Wait, Words
from schemas.engine.processes import Cause
from schemas.message import Event

_PATIENCE = timedelta(minutes=1)

Verdict = Literal["completed", "failed", "in_review"]


@dataclass(slots=True)
class Came:
    """An event that a process reacted to, and the names of those that have followed it."""

    name: str
    followed_by: set[str] = field(default_factory=set)


def predecessor(rules: Rules, came: dict[UUID, Came], cause: Cause) -> UUID | Wait | None:
    """Which of the events that came an event follows; ``None`` for the first, a `Wait` where that one has not come yet.

    Events of different contexts may come in another order than they happened: an event goes behind the one that led to it, or
    else behind the newest that it may follow. Raises `OutsideTheRules` where it may not follow the one that led to it.
    """
    if not came:
        return None
    table = {event.message_name: {follower.message_name for follower in followers} for event, followers in rules.items()}
    led = next((id for id in came if str(id) == cause.caused_by), None)
    if led is not None:
        if not _may_follow(table, came[led], cause.name):
            again = " again" if cause.name in came[led].followed_by else ""
            raise OutsideTheRules(f"{cause.name} may not follow {came[led].name}{again}")
        return led
    found = next((id for id in reversed(came) if _may_follow(table, came[id], cause.name)), None)
    if found is None:
        may = " or ".join(sorted(event for event, followers in table.items() if cause.name in followers))
        return Wait(f"{cause.name} may follow {may or 'nothing'}, which has not come", _PATIENCE)
    return found


def _may_follow(table: Mapping[str, set[str]], one: Came, name: str) -> bool:
    return name in table.get(one.name, ()) and name not in one.followed_by


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
) -> ProcessManager[Sequel]:
    """A process manager for a process that nobody leads: each service reacts to the others' events.

    It sends nothing: it holds what happens against the rules, and reports what is outside them. ``key`` tells which process an
    event belongs to, ``verdicts`` what becomes of a process with an event (others leave it running), ``ids`` the ids that an
    event tells of what the process is about.
    """

    def take(sequel: Sequel, event: Event, cause: Cause) -> Next[Sequel]:
        told = ids(event)
        known = Sequel(temporary_id=told.temporary or sequel.temporary_id, real_id=told.real or sequel.real_id)
        return Next(known, status=verdicts.get(type(event), "running"))

    return ProcessManager(
        name,
        Sequel,
        {event: On(key, take, begins=event in begins) for event in rules},
        rules=rules,
        ids=lambda sequel: Ids(sequel.temporary_id, sequel.real_id),
        ends=False,
        words=words,
    )
