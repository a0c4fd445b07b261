"""The decisions, policies and sagas of the health subscriptions, with the plans that are installed."""

from collections.abc import Mapping

from aggregates.health_subscriptions import data_services, imaging, notifications, subscriptions
from aggregates.health_subscriptions.notifications import NOTIFICATIONS
from aggregates.health_subscriptions.plans import Plans, PlanSteps
from aggregates.health_subscriptions.subscribing import SubscribingWith
from aggregates.system import Domain

EXTENSIONS = "caudal.health_subscriptions.plans"
"""The entry point group under which packages register further plans."""


def domain(extensions: Mapping[str, PlanSteps]) -> Domain:
    """Returns the domain with the plans that are installed."""
    return Domain(
        decisions=(*subscriptions.DECISIONS, *data_services.DECISIONS, *imaging.DECISIONS, *notifications.DECISIONS),
        policies=(*notifications.POLICIES, *imaging.POLICIES),
        sagas=(SubscribingWith(Plans.of(extensions)).definition(), NOTIFICATIONS.redelivery, imaging.FETCHING),
    )
