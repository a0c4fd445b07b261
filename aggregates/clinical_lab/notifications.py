"""Notifications of the laboratory: who gets which mail."""

from collections.abc import Iterable

from aggregates.notifications.notification import Notifications
from aggregates.policy import Policy
from schemas.clinical_lab.notifications import MESSAGES, RequestNotification
from schemas.clinical_lab.results import ResultRecorded
from schemas.clinical_lab.users import UserCreated
from schemas.envelope import RecordedEvent
from schemas.message import Command

NOTIFICATIONS = Notifications.of(MESSAGES)


def welcome(recorded: RecordedEvent[UserCreated]) -> Iterable[Command]:
    user_id = recorded.data.user_id
    yield RequestNotification(kind="welcome", cause=f"user-{user_id}", recipients=(str(user_id),), about="")


def announce_result(recorded: RecordedEvent[ResultRecorded]) -> Iterable[Command]:
    """Notifies the patient, or the clinician if the patient is no user."""
    event = recorded.data
    clinician = () if event.clinician_id is None else (event.clinician_id,)
    yield RequestNotification(
        kind="result",
        cause=f"result-{event.result_id}",
        recipients=(str(event.patient_id), *clinician),
        about=str(event.number),
    )


POLICIES = (Policy("notifying", {UserCreated: welcome, ResultRecorded: announce_result}), NOTIFICATIONS.delivering)
