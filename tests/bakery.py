"""A system of one file whose projection fails on an order of nothing: its price would be divided by zero."""

from uuid import UUID

from aggregates.decision import Decision, Events
from aggregates.stream import Stream
from aggregates.system import Domain
from projectors.projection import Projection
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command, Event
from schemas.system import Context, System
from schemas.view import View


class OrderBread(Command):
    """Orders loaves for an amount."""

    loaves: int
    cents: int


class BreadOrdered(Event):
    """Loaves were ordered."""

    order_id: UUID
    loaves: int
    cents: int


class Orders(View, context="orders", key="order_id"):
    """One order."""

    order_id: UUID
    loaves: int = 0
    cents_a_loaf: int = 0


def order(command: CommandEnvelope[OrderBread]) -> Events:
    """Takes every order."""
    yield BreadOrdered(order_id=command.id, loaves=command.data.loaves, cents=command.data.cents)


def ordered(row: Orders, event: RecordedEvent[BreadOrdered]) -> Orders:
    """Returns the order with the price of a loaf."""
    return row.replace(loaves=event.data.loaves, cents_a_loaf=event.data.cents // event.data.loaves)


SYSTEM = System("bakery", (Context("orders", commands=(OrderBread,), events=(BreadOrdered,)),), views=(Orders,))
DOMAIN = Domain((Decision(OrderBread, Stream("order").create(), order),))
PROJECTIONS = (Projection(Orders, ordered, events=(BreadOrdered,)),)
