"""Subscriptions: a row for each, with its invoices."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.health_subscriptions.subscriptions import (
    PlanChanged,
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionCreated,
    SubscriptionPaid,
    SubscriptionRemoved,
)
from schemas.health_subscriptions.views import Subscriptions


def subscription(row: Subscriptions, event: RecordedEvent[Any]) -> Subscriptions:
    row = row.replace(updated_at=event.recorded_at)
    match event.data:
        case SubscriptionCreated(customer_id=id, customer=customer, plan=plan, is_pending=is_pending):
            return row.replace(
                customer_id=id,
                customer_code=customer.code,
                first_names=customer.first_names,
                last_names=customer.last_names,
                username=customer.username,
                tax_id=customer.tax_id,
                national_id=customer.national_id,
                email=customer.email,
                plan_code=plan.code,
                plan_name=plan.name,
                status="pending" if is_pending else "active",
                created_at=event.recorded_at,
            )
        case SubscriptionActivated():
            return row.replace(status="active")
        case SubscriptionRemoved():
            return row.replace(status="removed")
        case SubscriptionCancelled():
            return row.replace(status="cancelled")
        case PlanChanged(new=new):
            return row.replace(plan_code=new.code, plan_name=new.name)
        case SubscriptionPaid(invoice=invoice):
            return row.replace(invoices=[*row.invoices, invoice.model_dump(mode="json")])
    return row


PROJECTIONS = (
    Projection(
        Subscriptions,
        subscription,
        events=(
            SubscriptionCreated,
            SubscriptionActivated,
            SubscriptionRemoved,
            SubscriptionCancelled,
            PlanChanged,
            SubscriptionPaid,
        ),
    ),
)
