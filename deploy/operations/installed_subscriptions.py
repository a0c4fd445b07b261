"""The subscriptions of every installed system, with the stores of their checkpoints and dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aggregates.system import with_sagas
from command_api.policies.stores import policy_stores
from projectors.discovery import installed
from projectors.projection import Projection
from schemas.errors import NotFound
from schemas.system import ContextName
from streams.discovery import declared_domains
from streams.installation import Installation
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
        """Returns the store of its checkpoints in a context."""
        return next(store for store in self.stores if context in store.contexts)


def installed_subscriptions(views: Installation, logs: Installation) -> Sequence[InstalledSubscription]:
    """Returns every projection, with connections of ``views``, and every policy, with those of ``logs``."""
    return (*_projections(views), *_policies(logs))


def named(found: Sequence[InstalledSubscription], name: str) -> InstalledSubscription:
    """Returns the subscription of a name; raises `NotFound`, which lists the names."""
    for subscription in found:
        if subscription.name == name:
            return subscription
    raise NotFound(f"there is no subscription {name!r}; there are {', '.join(one.name for one in found)}")


def _projections(installation: Installation) -> Sequence[InstalledSubscription]:
    found = []
    for projection in installed(installation.catalog):
        contexts = frozenset(context for context, _ in installation.catalog.event_types(projection.events))
        views = installation.view_store(projection.home)
        store = SubscriptionStore.at(installation.settings, views, projection.full_name, contexts)
        found.append(InstalledSubscription(projection.full_name, "projection", tuple(sorted(contexts)), (store,), projection))
    return found


def _policies(installation: Installation) -> Sequence[InstalledSubscription]:
    found = []
    for domain in with_sagas(declared_domains(installation.catalog), installation.catalog).values():
        for policy in domain.policies:
            stores = policy_stores(installation, policy)
            found.append(InstalledSubscription(policy.full_name, "policy", tuple(sorted(stores)), tuple(stores.values())))
    return found
