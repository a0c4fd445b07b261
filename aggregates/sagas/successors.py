"""Rules of a process: which event may follow which within it, each of them once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from schemas.engine.sagas import Cause
from schemas.errors import OutsideTheRules
from schemas.message import Event

_PATIENCE = timedelta(minutes=1)

Rules = Mapping[type[Event], Sequence[type[Event]]]
"""Which events may follow an event within a process, each of them once; none may follow one that ends it."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An event has come before another that it follows: it is kept, and tried again after each step."""

    why: str
    patience: timedelta | None = None
    """How long after it happened it is reported as failed; it is still tried after that."""


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
