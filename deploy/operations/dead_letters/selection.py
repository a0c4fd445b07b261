"""The choice of dead letters: by name, by subscription and by stream."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.operations.subscriptions.installed import InstalledSubscription, named
from schemas.errors import NotFound
from streams.subscriptions.dead_letters import DeadLetter
from streams.subscriptions.store import SubscriptionStore

Found = list[tuple[SubscriptionStore, DeadLetter]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A choice of dead letters; every part that is set must match."""

    names: Sequence[str] = ()
    subscription: str | None = None
    stream: str | None = None
    resolved: bool = False
    """Also those that were skipped, or applied after an edit."""


async def selected(every: Sequence[InstalledSubscription], chosen: Filter) -> Found:
    """Returns the dead letters that match, each with its store; raises `NotFound` for a name that there is not."""
    wanted = every if chosen.subscription is None else [named(every, chosen.subscription)]
    found = [
        (store, dead_letter)
        for one in wanted
        for store in one.stores
        for dead_letter in await store.dead_letters.all(with_resolved=chosen.resolved)
        if chosen.stream in (None, dead_letter.stream)
    ]
    if not chosen.names:
        return found
    if unknown := set(chosen.names) - {dead_letter.name for _, dead_letter in found}:
        raise NotFound(f"there is no dead letter {', '.join(sorted(unknown))}; `caudal dead-letters list` shows them")
    return [(store, dead_letter) for store, dead_letter in found if dead_letter.name in chosen.names]


def stores_of(found: Found) -> list[SubscriptionStore]:
    """Returns the stores of some dead letters, each once."""
    return list({id(store): store for store, _ in found}.values())
