"""Notifications of the laboratory: who gets which mail."""

from uuid import UUID

from aggregates.clinical_lab import notifications
from aggregates.scenario import FIRST_ID, reaction_of
from schemas.clinical_lab.notifications import (
    DeliverNotification,
    NotificationRequested,
    RequestNotification,
)
from schemas.clinical_lab.results import (
    ResultRecorded,
)
from schemas.clinical_lab.users import UserCreated, user_id_of

NOTIFICATION = UUID("01940000-0000-7000-8000-0000000000d1")
ANA = user_id_of("ana")
CREATED = UserCreated(user_id=ANA, number=1, username="encrypted", password_hash="encrypted", role="patient", email=None)
REQUESTED = NotificationRequested(
    notification_id=NOTIFICATION, kind="welcome", cause=f"user-{ANA}", recipients=(str(ANA),), about=""
)


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
