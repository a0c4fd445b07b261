"""Health subscriptions: customers subscribe to plans, data services provide what these have, and images are anonymised."""

from schemas.access import Access
from schemas.health_subscriptions import data_services, imaging, notifications, subscriptions, views
from schemas.health_subscriptions.clients.gateways import GATEWAYS
from schemas.health_subscriptions.clients.incoming import INCOMING
from schemas.health_subscriptions.clients.outgoing import OUTGOING
from schemas.system import Context, System

_AUDIT = Access.to("auditor")

SYSTEM = System(
    name="health_subscriptions",
    summary="Customers subscribe to plans, data services provide what the plans have, and images are anonymised.",
    contexts=(
        Context("subscriptions", commands=subscriptions.COMMANDS, events=subscriptions.EVENTS, audit=_AUDIT),
        Context("data_services", commands=data_services.COMMANDS, events=data_services.EVENTS, audit=_AUDIT),
        Context("imaging", commands=imaging.COMMANDS, events=imaging.EVENTS, partitions=12, audit=_AUDIT),
        Context("notifications", commands=notifications.COMMANDS, events=notifications.EVENTS, audit=_AUDIT),
    ),
    views=views.VIEWS,
    gateways=GATEWAYS,
    outgoing=OUTGOING,
    incoming=INCOMING,
)
