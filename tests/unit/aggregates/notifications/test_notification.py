"""Notifications: tried again, and given up."""

from uuid import UUID

from aggregates.clinical_lab.notifications import NOTIFICATIONS
from aggregates.notifications.notification import PAUSES
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario
from schemas.clinical_lab.notifications import (
    DeliveryFailed,
    NotificationFailed,
    NotificationRequested,
    RecordDelivery,
    RequestNotification,
)
from schemas.values.times import LATEST

NOTIFICATION = UUID("01940000-0000-7000-8000-0000000000d1")
FIELDS = {"notification_id": NOTIFICATION, "cause": "user-ana"}
REQUESTED = NotificationRequested(**FIELDS, kind="welcome", recipients=("ana",), about="")


def test_mail_is_tried_again_ever_later_and_given_up_at_last() -> None:
    scenario = Scenario(NOTIFICATIONS.decisions).given(f"notification-{NOTIFICATION}", REQUESTED)
    for attempt, pause in enumerate(PAUSES, start=1):
        scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=attempt, problem="closed")).then(
            DeliveryFailed(notification_id=NOTIFICATION, attempt=attempt, problem="closed", again_at=MIDNIGHT + pause)
        )
    last = len(PAUSES) + 1
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=last, problem="closed"))
    scenario.then(NotificationFailed(**FIELDS, attempt=last, problem="closed"))


def test_mail_that_can_never_be_delivered_is_given_up_at_once_and_each_attempt_counts_once() -> None:
    scenario = Scenario(NOTIFICATIONS.decisions).given(f"notification-{NOTIFICATION}", REQUESTED)
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1, problem="no mailbox", may_work_later=False))
    scenario.then(NotificationFailed(**FIELDS, attempt=1, problem="no mailbox"))
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1)).then()


def test_mail_of_the_last_day_of_the_calendar_is_tried_again_by_its_end() -> None:
    scenario = Scenario(NOTIFICATIONS.decisions).given(f"notification-{NOTIFICATION}", REQUESTED)
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1, problem="closed"), at=LATEST)
    scenario.then(DeliveryFailed(notification_id=NOTIFICATION, attempt=1, problem="closed", again_at=LATEST))


def test_mail_to_nobody_is_not_requested() -> None:
    request = RequestNotification(kind="welcome", cause="user-ana", recipients=(), about="")
    Scenario(NOTIFICATIONS.decisions).when(request).then()
    Scenario(NOTIFICATIONS.decisions).when(request.model_copy(update={"recipients": ("ana",)})).then(
        NotificationRequested(notification_id=FIRST_ID, **dict(request.model_copy(update={"recipients": ("ana",)})))
    )
