"""The view of subscriptions: from the creation to the end, with invoices."""

from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from projectors.health_subscriptions.subscriptions import PROJECTIONS
from schemas.health_subscriptions.parts import Invoice, Money, customer_id_of
from schemas.health_subscriptions.subscriptions import (
    PlanChanged,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionPaid,
    SubscriptionRemoved,
)
from schemas.message import Event
from tests.unit.aggregates.health_subscriptions.subscribers import ACTIVE, FREE, IDS, PENDING, PRO
from tests.unit.projectors.applied import applied

(SUBSCRIPTIONS,) = PROJECTIONS


def test_a_subscription_has_its_customer_and_its_plan() -> None:
    row = applied(SUBSCRIPTIONS, PENDING)

    assert (row.status, row.plan_code, row.customer_code, row.customer_id) == ("pending", "PRO", "0001", customer_id_of("0001"))
    assert (row.first_names, row.tax_id, row.email, row.created_at) == ("Pablo", "1234567890", "pperez@example.org", MIDNIGHT)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (SubscriptionActivated(**IDS), "active"),
        (SubscriptionRemoved(**IDS, reason=""), "removed"),
        (SubscriptionCancelled(**IDS, reason=""), "cancelled"),
    ],
)
def test_its_status_follows_its_events(event: Event, status: str) -> None:
    assert applied(SUBSCRIPTIONS, ACTIVE).status == "active"
    assert applied(SUBSCRIPTIONS, PENDING, event).status == status


def test_it_has_its_newest_plan_and_every_invoice() -> None:
    invoice = Invoice(
        invoice_id=UUID(int=1), total=Money(cents=5, currency="COP"), created_at=MIDNIGHT, method_name="", method_ending=""
    )
    paid = SubscriptionPaid(**IDS, invoice=invoice)

    row = applied(SUBSCRIPTIONS, ACTIVE, PlanChanged(**IDS, old=PRO, new=FREE), paid, paid)

    assert (row.plan_code, row.plan_name) == ("free", "")
    assert row.invoices == [invoice.model_dump(mode="json")] * 2
