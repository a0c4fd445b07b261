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
    for unknown, may_come in ((Customer(), True), (Customer(status="active", email="erased"), False)):
        with pytest.raises(Undeliverable) as raised:
            await mailbox(NOTIFICATION, context_of(customer=unknown))
        assert raised.value.may_work_later is may_come, "a registration may still be on its topic"


def test_each_kind_of_event_has_its_text() -> None:
    texts = {text(NOTIFICATION.replace(kind=kind)) for kind in get_args(Kind)}

    assert len(texts) == len(get_args(Kind))
    assert all("r-1" in body for _, body in texts)
