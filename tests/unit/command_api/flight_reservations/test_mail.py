"""The mail to customers: to the address of a registered customer, about each kind of event."""

from typing import get_args

import pytest

from aggregates.flight_reservations.customers import Customer
from aggregates.notifications.notification import Notification
from command_api.flight_reservations.mail import mailbox, text
from schemas.errors import Undeliverable
from schemas.flight_reservations.notifications import Kind
from tests.unit.command_api.activity_context import context_of

NOTIFICATION = Notification(kind="created", recipients=("7",), about="r-1")


async def test_mail_goes_to_the_customers_address() -> None:
    customer = Customer(status="active", email="secret:eva@example.org")

    assert await mailbox(NOTIFICATION, context_of(customer=customer)) == "eva@example.org"
    for unknown in (Customer(), Customer(status="active", email="erased")):
        with pytest.raises(Undeliverable):
            await mailbox(NOTIFICATION, context_of(customer=unknown))


def test_each_kind_of_event_has_its_text() -> None:
    texts = {text(NOTIFICATION.replace(kind=kind)) for kind in get_args(Kind)}

    assert len(texts) == len(get_args(Kind))
    assert all("r-1" in body for _, body in texts)
