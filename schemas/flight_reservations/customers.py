"""Customers: people and companies, whose data are encrypted."""

from typing import Annotated
from uuid import UUID

from schemas.access import Access
from schemas.flight_reservations.parts import Kind
from schemas.message import COMMAND_ID, Command, Event
from schemas.sensitive import Encrypted, RequiredSensitiveMailbox, Sensitive

MANAGERS = Access.to("customers_manager", open_in_seed=True)
"""May list and deactivate customers."""
PersonalText = Annotated[str, Sensitive(max_length=200)]
OptionalText = Annotated[str | None, Sensitive(max_length=200)]


class RegisterCustomer(Command, subject=COMMAND_ID):
    """Registers a customer, who has the command's id and is the data subject."""

    kind: Kind
    first_names: PersonalText
    last_names: OptionalText = None
    email: RequiredSensitiveMailbox
    number: OptionalText = None
    city: OptionalText = None
    date: OptionalText = None


class DeactivateCustomer(Command, access=MANAGERS):
    """Deactivates a customer: nothing else changes."""

    customer_id: UUID


class CustomerRegistered(Event):
    """A customer was registered."""

    customer_id: UUID
    kind: Kind
    first_names: Encrypted
    last_names: Encrypted
    email: Encrypted
    number: Encrypted
    city: Encrypted
    date: Encrypted


class CustomerDeactivated(Event):
    """A customer was deactivated."""

    customer_id: UUID


COMMANDS = (RegisterCustomer, DeactivateCustomer)
EVENTS = (CustomerRegistered, CustomerDeactivated)
