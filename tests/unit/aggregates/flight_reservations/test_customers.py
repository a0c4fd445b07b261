"""Customers: registered with what is encrypted of them, and deactivated once."""

from typing import Any

from aggregates.flight_reservations.customers import DECISIONS
from aggregates.scenario import FIRST_ID, Scenario
from schemas.flight_reservations.customers import (
    CustomerDeactivated,
    CustomerRegistered,
    DeactivateCustomer,
    RegisterCustomer,
)

DATA: dict[str, Any] = {"kind": "person", "first_names": "Eva", "email": "eva@example.org"}
REGISTERED = CustomerRegistered(customer_id=FIRST_ID, **DATA, last_names=None, number=None, city=None, date=None)


def test_a_customer_is_registered_and_deactivated_once() -> None:
    deactivated = CustomerDeactivated(customer_id=FIRST_ID)

    Scenario(DECISIONS).when(RegisterCustomer(**DATA)).then(REGISTERED)
    scenario = Scenario(DECISIONS).given(f"customer-{FIRST_ID}", REGISTERED)
    scenario.when(DeactivateCustomer(customer_id=FIRST_ID)).then(deactivated)
    scenario = Scenario(DECISIONS).given(f"customer-{FIRST_ID}", REGISTERED, deactivated)
    scenario.when(DeactivateCustomer(customer_id=FIRST_ID)).then()
    Scenario(DECISIONS).when(DeactivateCustomer(customer_id=FIRST_ID)).then_rejected(containing="there is no customer")
