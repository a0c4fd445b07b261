"""Redelivery: mail that was not delivered is tried again when its time has come."""

from uuid import UUID

from aggregates.clinical_lab.notifications import NOTIFICATIONS
from aggregates.notifications.notification import PAUSES
from aggregates.sagas.scenario import SagaScenario
from aggregates.scenario import MIDNIGHT
from schemas.clinical_lab.notifications import (
    DeliverNotification,
    DeliveryFailed,
    NotificationFailed,
    NotificationSent,
)
from schemas.clinical_lab.users import user_id_of

NOTIFICATION = UUID("01940000-0000-7000-8000-0000000000d1")
ANA = user_id_of("ana")
FIELDS = {"notification_id": NOTIFICATION, "cause": f"user-{ANA}"}


def test_redelivery_waits_for_its_time_and_tries_until_it_is_finished() -> None:
    first = DeliveryFailed(notification_id=NOTIFICATION, attempt=1, problem="closed", again_at=MIDNIGHT + PAUSES[0])
    story = SagaScenario(NOTIFICATIONS.redelivery).happens(first).sends()
    story.waits(PAUSES[0]).sends(DeliverNotification(notification_id=NOTIFICATION, attempt=2)).accepts()
    second = first.model_copy(update={"attempt": 2, "again_at": MIDNIGHT + PAUSES[0] + PAUSES[1]})
    story.happens(second).waits(PAUSES[1]).sends(DeliverNotification(notification_id=NOTIFICATION, attempt=3)).accepts()
    story.happens(NotificationSent(**FIELDS, attempt=3)).becomes("completed")


def test_mail_that_is_delivered_at_once_needs_no_redelivery() -> None:
    reactions = NOTIFICATIONS.redelivery.reactions
    assert reactions[NotificationSent].key_of(NotificationSent(**FIELDS, attempt=1)) is None
    assert reactions[NotificationFailed].key_of(NotificationFailed(**FIELDS, attempt=1, problem="no mailbox")) is None
