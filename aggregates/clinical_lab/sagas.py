"""The laboratory's sagas, which nobody leads: each service reacts to the others."""

from typing import Any

from aggregates.sagas.choreography import choreography
from aggregates.sagas.definition import Ids
from aggregates.sagas.successors import Rules
from schemas.clinical_lab.notifications import (
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.users import UserCreated

_NOTIFIED: Rules = {
    NotificationRequested: (NotificationSent, NotificationFailed),
    NotificationSent: (),
    NotificationFailed: (),
}


def _registered(event: Any) -> str | None:
    if isinstance(event, UserCreated):
        return f"user-{event.user_id}"
    return event.cause if event.cause.startswith("user-") else None


def _resulted(event: Any) -> str | None:
    if isinstance(event, ResultRecorded):
        return f"result-{event.result_id}"
    return event.cause if event.cause.startswith("result-") else None


def _ids(event: Any) -> Ids:
    match event:
        case UserCreated():
            return Ids(real=str(event.user_id))
        case ResultRecorded() | ResultQueried():
            return Ids(real=str(event.result_id))
    return Ids()


REGISTRATION = choreography(
    "registration",
    {UserCreated: (NotificationRequested,), **_NOTIFIED},
    key=_registered,
    begins=(UserCreated,),
    verdicts={NotificationSent: "completed", NotificationFailed: "failed"},
    ids=_ids,
)
RESULT = choreography(
    "result",
    {ResultRecorded: (NotificationRequested,), **_NOTIFIED},
    key=_resulted,
    begins=(ResultRecorded,),
    verdicts={NotificationSent: "completed", NotificationFailed: "failed"},
    ids=_ids,
)
READING = choreography(
    "reading",
    {ResultQueried: ()},
    key=lambda event: str(event.query_id),
    begins=(ResultQueried,),
    verdicts={ResultQueried: "completed"},
    ids=_ids,
)

PROCESSES = (REGISTRATION, RESULT, READING)
