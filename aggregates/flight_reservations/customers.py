"""Customers: registered, and deactivated once."""

from typing import Literal

from aggregates.decision import Decision, Decisions, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.flight_reservations.customers import (
    CustomerDeactivated,
    CustomerRegistered,
    DeactivateCustomer,
    RegisterCustomer,
)
from schemas.message import Event


class Customer(State):
    """A customer."""

    status: Literal["none", "active", "deactivated"] = "none"
    email: str | None = None


def evolve(customer: Customer, event: Event) -> Customer:
    match event:
        case CustomerRegistered(email=email):
            return Customer(status="active", email=email)
        case CustomerDeactivated():
            return customer.replace(status="deactivated")
    return customer


CUSTOMER = Stream("customer", Customer, evolve)


def register(command: CommandEnvelope[RegisterCustomer]) -> Events:
    """Registers a customer."""
    yield CustomerRegistered(customer_id=command.id, **dict(command.data))


def deactivate(command: CommandEnvelope[DeactivateCustomer], customer: Customer) -> Events:
    """Deactivates a customer, once."""
    if customer.status == "active":
        yield CustomerDeactivated(customer_id=command.data.customer_id)


DECISIONS: Decisions = (
    Decision(RegisterCustomer, CUSTOMER.create(), register),
    Decision(DeactivateCustomer, CUSTOMER.change("customer_id"), deactivate),
)
