"""Subscriptions of customers to plans."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.health_subscriptions.parts import Code, Customer, Invoice, Label, Money, PersonalText, Plan, Reason, customer_id_of
from schemas.health_subscriptions.roles import MANAGERS
from schemas.message import Command, Event
from schemas.sensitive import RequiredSensitiveMailbox

NO_PLAN = "La suscripcion debe tener un plan selecionado"
NO_SUBSCRIPTION = "No existe la suscripción"
IS_CANCELLED = "La suscripción está cancelada"
IS_PENDING = "La suscripción está pendiente"
EXISTS = "La suscripción ya existe"


class _WithCustomer(Command):
    customer_code: Code
    first_names: PersonalText
    last_names: PersonalText
    username: PersonalText
    tax_id: PersonalText
    national_id: PersonalText
    email: RequiredSensitiveMailbox
    plan: Plan

    @property
    def customer_id(self) -> UUID:
        """The data subject."""
        return customer_id_of(self.customer_code)

    @property
    def customer(self) -> Customer:
        """The customer as events have it."""
        return Customer(
            code=self.customer_code,
            first_names=self.first_names,
            last_names=self.last_names,
            username=self.username,
            tax_id=self.tax_id,
            national_id=self.national_id,
            email=self.email,
        )


class StartSubscription(_WithCustomer, subject="customer_id"):
    """Requests a subscription with all that its plan has; repeated for one subscription it has no effect."""

    subscription_id: UUID | None = Field(default=None, description="Unset: the command's id.")


class CreateSubscription(_WithCustomer, subject="customer_id"):
    """Creates a subscription that is active at once. One that is not possible is recorded as an event."""

    subscription_id: UUID | None = Field(default=None, description="Unset: the command's id.")


class CreatePendingSubscription(Command, internal=True):
    """Creates a subscription that is active when all that its plan has is there."""

    subscription_id: UUID
    customer: Customer
    plan: Plan
    simulated_failure: bool = False


class ActivateSubscription(Command, internal=True):
    """Activates a pending subscription."""

    subscription_id: UUID


class RemoveSubscription(Command, access=MANAGERS):
    """Takes back the creation of a subscription; without one there is nothing to record."""

    subscription_id: UUID
    reason: Reason = ""


class RemovePendingSubscription(Command, internal=True):
    """Takes back the creation of a subscription that is pending; one that is active is not the sender's."""

    subscription_id: UUID
    reason: Reason = ""


class ChangePlan(Command, access=MANAGERS):
    """Gives an active subscription another plan."""

    subscription_id: UUID
    plan: Plan


class CancelSubscription(Command, access=MANAGERS):
    """Ends a subscription."""

    subscription_id: UUID
    reason: Reason = ""


class PaySubscription(Command, access=MANAGERS):
    """Records a payment for an active subscription, which is an invoice of its own."""

    subscription_id: UUID
    total: Money
    method_name: Label = ""
    method_ending: Label = Field(default="", max_length=4, description="The last characters of the card's or account's number.")


class _OfCustomer(Event):
    subscription_id: UUID
    customer_id: UUID
    customer: Customer
    plan: Plan


class SubscriptionRequested(_OfCustomer):
    """A subscription with all that its plan has was requested."""


class SubscriptionCreated(_OfCustomer):
    """A subscription was created."""

    is_pending: bool = Field(description="Whether it becomes active only with all that its plan has.")


class SubscriptionFailed(Event):
    """A subscription was not created."""

    subscription_id: UUID
    customer_id: UUID
    is_pending: bool = Field(description="Whether it was to become active only with all that its plan has.")
    reason: str


class SubscriptionActivated(Event):
    """A pending subscription became active."""

    subscription_id: UUID
    customer_id: UUID


class SubscriptionRemoved(Event):
    """The creation of a subscription was taken back."""

    subscription_id: UUID
    customer_id: UUID
    reason: str


class PlanChanged(Event):
    """A subscription got another plan."""

    subscription_id: UUID
    customer_id: UUID
    old: Plan
    new: Plan


class SubscriptionCancelled(Event):
    """A subscription ended."""

    subscription_id: UUID
    customer_id: UUID
    reason: str


class SubscriptionPaid(Event):
    """A payment for a subscription was recorded."""

    subscription_id: UUID
    customer_id: UUID
    invoice: Invoice


Operation = Literal["change-plan", "cancel", "pay"]


class SubscriptionChangeRejected(Event):
    """A change of a subscription was not possible."""

    subscription_id: UUID
    operation: Operation
    reason: str


COMMANDS = (
    StartSubscription,
    CreateSubscription,
    CreatePendingSubscription,
    ActivateSubscription,
    RemoveSubscription,
    RemovePendingSubscription,
    ChangePlan,
    CancelSubscription,
    PaySubscription,
)
EVENTS = (
    SubscriptionRequested,
    SubscriptionCreated,
    SubscriptionFailed,
    SubscriptionActivated,
    SubscriptionRemoved,
    PlanChanged,
    SubscriptionCancelled,
    SubscriptionPaid,
    SubscriptionChangeRejected,
)
