"""The choice of dead letters: by name, by subscription and by stream."""

from collections.abc import Sequence

from pydantic import Field

from deploy.operations.installed_subscriptions import InstalledSubscription, named
from deploy.operations.run import Parameters
from schemas.errors import NotFound
from streams.subscriptions.dead_letters import DeadLetter
from streams.subscriptions.store import SubscriptionStore

Found = list[tuple[SubscriptionStore, DeadLetter]]


class Filter(Parameters):
    """A choice of dead letters; every part that is set must match."""

    names: tuple[str, ...] = ()
    subscription: str | None = Field(default=None, description="Its name: `system.name`.")
    stream: str | None = None


async def selected(every: Sequence[InstalledSubscription], chosen: Filter) -> Found:
    """Returns the open dead letters that match, each with its store; raises `NotFound` for a name that there is not."""
    wanted = every if chosen.subscription is None else [named(every, chosen.subscription)]
    found = [
        (store, dead_letter)
        for one in wanted
        for store in one.stores
        for dead_letter in await store.dead_letters.all()
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
