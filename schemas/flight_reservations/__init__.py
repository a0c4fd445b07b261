"""Flight reservations: customers reserve flights, which are approved, paid or cancelled."""

from schemas.access import Access
from schemas.flight_reservations import customers, notifications, reservations, views
from schemas.flight_reservations.clients.gateways import GATEWAYS
from schemas.flight_reservations.clients.incoming import INCOMING
from schemas.flight_reservations.clients.outgoing import OUTGOING
from schemas.system import Context, System

_AUDIT = Access.to("auditor")

SYSTEM = System(
    name="flight_reservations",
    summary="Customers reserve flights, which are approved, paid or cancelled.",
    contexts=(
        Context("reservations", commands=reservations.COMMANDS, events=reservations.EVENTS, audit=_AUDIT),
        Context("customers", commands=customers.COMMANDS, events=customers.EVENTS, audit=_AUDIT),
        Context("notifications", commands=notifications.MESSAGES.commands, events=notifications.MESSAGES.events, audit=_AUDIT),
    ),
    views=views.VIEWS,
    gateways=GATEWAYS,
    outgoing=OUTGOING,
    incoming=INCOMING,
)
