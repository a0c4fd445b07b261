"""The stores of a policy's checkpoints and dead letters."""

from collections.abc import Mapping

from aggregates.policy import Policy
from schemas.catalog import Catalog, ContextName
from streams.database.pools import Databases
from streams.database.store import log_schema
from streams.settings import Settings
from streams.subscriptions.store import SubscriptionStore


def policy_stores(
    settings: Settings, catalog: Catalog, databases: Databases, system: str, policy: Policy
) -> Mapping[ContextName, SubscriptionStore]:
    """Returns a store for each context that the policy follows, beside the context's log."""
    name = f"{system}.{policy.name}"
    return {
        context: SubscriptionStore.at(
            settings, databases, settings.log_dsn(context), log_schema(context), name, frozenset({context})
        )
        for context in {catalog.context_of(event) for event in policy.reactions}
    }
