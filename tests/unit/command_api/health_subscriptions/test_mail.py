"""The mail to customers: to the address of the subscription, or else of its request."""

from typing import get_args

import pytest

from aggregates.health_subscriptions.subscriptions import Request, Subscription
from aggregates.notifications.notification import Notification
from command_api.health_subscriptions.mail import mailbox, text
from schemas.errors import Undeliverable
from schemas.health_subscriptions.notifications import Kind
from tests.unit.command_api.activity_context import context_of

NOTIFICATION = Notification(kind="activated", cause="subscription-7", recipients=("7",), about="7")


async def test_it_goes_to_the_subscriptions_customer_or_to_the_requests() -> None:
    both = context_of(subscription=Subscription(email="secret:s@x.org"), subscriptionrequest=Request(email="secret:r@x.org"))

    assert await mailbox(NOTIFICATION, both) == "s@x.org"
    assert await mailbox(NOTIFICATION, context_of(subscriptionrequest=Request(email="secret:r@x.org"))) == "r@x.org"
    for nobody in (context_of(), context_of(subscription=Subscription(email="erased"))):
        with pytest.raises(Undeliverable) as raised:
            await mailbox(NOTIFICATION, nobody)
        assert not raised.value.may_work_later


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_has_a_text_that_names_the_subscription_alone(kind: Kind) -> None:
    subject, body = text(NOTIFICATION.replace(kind=kind))

    assert subject
    assert body.endswith("Suscripción: 7\n")


async def test_mail_about_a_request_that_failed_goes_to_its_customer_and_not_to_the_one_with_its_id() -> None:
    failed = NOTIFICATION.replace(kind="failed")
    both = context_of(subscription=Subscription(email="secret:s@x.org"), subscriptionrequest=Request(email="secret:r@x.org"))

    assert await mailbox(failed, both) == "r@x.org"
    with pytest.raises(Undeliverable):
        await mailbox(failed, context_of(subscription=Subscription(email="secret:s@x.org")))
