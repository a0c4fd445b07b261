"""A customer, a plan and a subscription, as messages have them."""

from typing import Any
from uuid import UUID

from schemas.health_subscriptions.parts import Customer, Plan, customer_id_of
from schemas.health_subscriptions.subscriptions import SubscriptionCreated, SubscriptionRequested

ID = UUID(int=7)
CUSTOMER = Customer(
    code="0001",
    first_names="Pablo",
    last_names="Perez",
    username="pperez",
    tax_id="1234567890",
    national_id="987654321",
    email="pperez@example.org",
)
PRO = Plan(code="PRO", name="PRO")
FREE = Plan(code="free")
IDS: dict[str, Any] = {"subscription_id": ID, "customer_id": customer_id_of("0001")}
FIELDS: dict[str, Any] = {"customer_code": "0001", **CUSTOMER.model_dump(exclude={"code"})}
REQUESTED = SubscriptionRequested(**IDS, customer=CUSTOMER, plan=PRO)
PENDING = SubscriptionCreated(**IDS, customer=CUSTOMER, plan=PRO, is_pending=True)
ACTIVE = SubscriptionCreated(**IDS, customer=CUSTOMER, plan=PRO, is_pending=False)
