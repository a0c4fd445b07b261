"""Notifications: requested by policies, tried again, and given up."""

from uuid import UUID

from aggregates.clinical_lab import notifications
from aggregates.clinical_lab.notifications import PAUSES
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario, reaction_of
from schemas.clinical_lab.notifications import (
    DeliverNotification,
    DeliveryFailed,
    NotificationFailed,
    NotificationRequested,
    RecordDelivery,
    RequestNotification,
)
from schemas.clinical_lab.results import (
    ResultRecorded,
)
from schemas.clinical_lab.users import UserCreated, user_id_of
from schemas.values.times import LATEST

NOTIFICATION = UUID("01940000-0000-7000-8000-0000000000d1")
ANA = user_id_of("ana")
CREATED = UserCreated(user_id=ANA, number=1, username="encrypted", password_hash="encrypted", role="patient", email=None)
REQUESTED = NotificationRequested(
    notification_id=NOTIFICATION, kind="welcome", cause=f"user-{ANA}", recipients=(str(ANA),), about=""
)
FIELDS = {"notification_id": NOTIFICATION, "cause": f"user-{ANA}"}


def test_a_new_user_is_welcomed_and_a_result_goes_to_its_patient_or_its_clinician() -> None:
    notifying, delivering = notifications.POLICIES
    assert reaction_of(notifying, CREATED) == (
        RequestNotification(kind="welcome", cause=f"user-{ANA}", recipients=(str(ANA),), about=""),
    )
    event = ResultRecorded(result_id=FIRST_ID, number=8, patient_id=ANA, clinician_id="dr", patient="s", result="s")
    assert reaction_of(notifying, event) == (
        RequestNotification(kind="result", cause=f"result-{FIRST_ID}", recipients=(str(ANA), "dr"), about="8"),
    )
    assert reaction_of(delivering, REQUESTED) == (DeliverNotification(notification_id=NOTIFICATION),)


def test_mail_is_tried_again_ever_later_and_given_up_at_last() -> None:
    scenario = Scenario(notifications.DECISIONS).given(f"notification-{NOTIFICATION}", REQUESTED)
    for attempt, pause in enumerate(PAUSES, start=1):
        scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=attempt, problem="closed")).then(
            DeliveryFailed(notification_id=NOTIFICATION, attempt=attempt, problem="closed", again_at=MIDNIGHT + pause)
        )
    last = len(PAUSES) + 1
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=last, problem="closed"))
    scenario.then(NotificationFailed(**FIELDS, attempt=last, problem="closed"))


def test_mail_that_can_never_be_delivered_is_given_up_at_once_and_each_attempt_counts_once() -> None:
    scenario = Scenario(notifications.DECISIONS).given(f"notification-{NOTIFICATION}", REQUESTED)
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1, problem="no mailbox", may_work_later=False))
    scenario.then(NotificationFailed(**FIELDS, attempt=1, problem="no mailbox"))
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1)).then()


def test_mail_of_the_last_day_of_the_calendar_is_tried_again_by_its_end() -> None:
    scenario = Scenario(notifications.DECISIONS).given(f"notification-{NOTIFICATION}", REQUESTED)
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1, problem="closed"), at=LATEST)
    scenario.then(DeliveryFailed(notification_id=NOTIFICATION, attempt=1, problem="closed", again_at=LATEST))
