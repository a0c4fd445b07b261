"""Successors: which event may follow which within a saga, each of them once."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from schemas.engine.sagas import SagaInput
from schemas.errors import UnexpectedEvent

_TIMEOUT = timedelta(minutes=1)

Successors = Mapping[str, frozenset[str]]
"""By an event's name: the names of the events that may follow it within a saga; none may follow an event that ends it."""


class Defer(BaseModel):
    """The result of a reaction to an event that arrives before its predecessor: the event is deferred until the next step."""

    model_config = ConfigDict(frozen=True)

    why: str
    timeout: timedelta | None = None
    """After this time it is reported as failed; it is still tried after that."""

    def __init__(self, why: str, timeout: timedelta | None = None) -> None:
        super().__init__(why=why, timeout=timeout)


class Handled(BaseModel):
    """An event that a saga reacted to, and the names of the events that have followed it."""

    model_config = ConfigDict(frozen=True)

    name: str
    followed_by: frozenset[str] = frozenset()


def predecessor(successors: Successors, handled: Mapping[UUID, Handled], input: SagaInput) -> UUID | Defer | None:
    """Returns which of the handled events an event follows; ``None`` for the first, a `Defer` if that one has not arrived.

    Events of different contexts may arrive in another order than they happened: an event follows the one that led to it, or
    else the newest one that it may follow. Raises `UnexpectedEvent` if it may not follow the one that led to it.
    """
    if not handled:
        return None
    led = next((id for id in handled if str(id) == input.caused_by), None)
    if led is not None:
        if not _may_follow(successors, handled[led], input.name):
            again = " again" if input.name in handled[led].followed_by else ""
            raise UnexpectedEvent(f"{input.name} may not follow {handled[led].name}{again}")
        return led
    found = next((id for id in reversed(list(handled)) if _may_follow(successors, handled[id], input.name)), None)
    if found is None:
        may = " or ".join(sorted(event for event, followers in successors.items() if input.name in followers))
        return Defer(f"{input.name} may follow {may or 'nothing'}, which has not arrived", _TIMEOUT)
    return found


def _may_follow(successors: Successors, one: Handled, name: str) -> bool:
    return name in successors.get(one.name, ()) and name not in one.followed_by
