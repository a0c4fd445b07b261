"""The stores of a policy's checkpoints and dead letters."""

from collections.abc import Mapping

from aggregates.policy import Policy
from schemas.system import ContextName
from streams.installation import Installation
from streams.subscriptions.store import SubscriptionStore


def policy_stores(installation: Installation, policy: Policy) -> Mapping[ContextName, SubscriptionStore]:
    """Returns a store for each context that the policy follows, beside the context's log."""
    return {
        context: SubscriptionStore.at(
            installation.settings, installation.log_store(context), policy.full_name, frozenset({context})
        )
        for context in {context for context, _ in installation.catalog.event_types(policy.reactions)}
    }
