"""The subscriptions of every installed system, and where each keeps its checkpoints and dead letters."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aggregates.system import installed as installed_domains
from command_api.worker import policy_stores
from projectors.projection import Projection
from projectors.service import installed
from schemas.catalog import Catalog, ContextName
from schemas.errors import NotFound
from streams.database.pools import Databases
from streams.database.store import views_schema
from streams.settings import Settings
from streams.subscriptions.store import SubscriptionStore


@dataclass(frozen=True, slots=True)
class InstalledSubscription:
    """A projection or a policy."""

    name: str
    kind: Literal["projection", "policy"]
    contexts: tuple[ContextName, ...]
    stores: tuple[SubscriptionStore, ...]
    projection: Projection[Any] | None = None

    def store_of(self, context: ContextName) -> SubscriptionStore:
        """Where it keeps what concerns a context."""
        return next(store for store in self.stores if context in store.contexts)


@asynccontextmanager
async def subscriptions(settings: Settings) -> AsyncIterator[Sequence[InstalledSubscription]]:
    """Every subscription, each acting in the role of the process that runs it."""
    catalog = Catalog.installed(settings.systems)
    views, logs = Databases("caudal_projector", pool_size=2), Databases("caudal_writer", pool_size=2)
    try:
        yield [*_projections(settings, catalog, views), *_policies(settings, catalog, logs)]
    finally:
        await views.close()
        await logs.close()


def named(found: Sequence[InstalledSubscription], name: str) -> InstalledSubscription:
    """The subscription of a name; raises `NotFound`, and says which there are."""
    for subscription in found:
        if subscription.name == name:
            return subscription
    raise NotFound(f"there is no subscription {name!r}; there are {', '.join(one.name for one in found)}")


def _projections(settings: Settings, catalog: Catalog, databases: Databases) -> Sequence[InstalledSubscription]:
    found = []
    for system, projections in installed(catalog).items():
        for projection in projections:
            name, home = f"{system}.{projection.name}", ContextName(system, projection.view.view_context)
            contexts = tuple(sorted({catalog.context_of(event) for event in projection.folds}))
            store = SubscriptionStore.at(
                settings, databases, settings.view_dsn(home), views_schema(home), name, frozenset(contexts)
            )
            found.append(InstalledSubscription(name, "projection", contexts, (store,), projection))
    return found


def _policies(settings: Settings, catalog: Catalog, databases: Databases) -> Sequence[InstalledSubscription]:
    found = []
    for system, side in installed_domains(catalog).items():
        for policy in side.policies:
            stores = policy_stores(settings, catalog, databases, system, policy)
            found.append(
                InstalledSubscription(f"{system}.{policy.name}", "policy", tuple(sorted(stores)), tuple(stores.values()))
            )
    return found
