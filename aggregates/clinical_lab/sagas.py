"""The laboratory's sagas, which have no orchestrator: each service reacts to the others' events."""

from collections.abc import Mapping, Sequence
from typing import Any

from aggregates.sagas.choreography import choreography
from schemas.clinical_lab.notifications import (
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.users import UserCreated, UsersListed
from schemas.message import Event

_NOTIFIED: Mapping[type[Event], Sequence[type[Event]]] = {
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


REGISTRATION = choreography(
    "registration",
    {UserCreated: (NotificationRequested,), **_NOTIFIED},
    key=_registered,
    starts=(UserCreated,),
    outcomes={NotificationSent: "completed", NotificationFailed: "failed"},
    references=("user_id",),
)
RESULT = choreography(
    "result",
    {ResultRecorded: (NotificationRequested,), **_NOTIFIED},
    key=_resulted,
    starts=(ResultRecorded,),
    outcomes={NotificationSent: "completed", NotificationFailed: "failed"},
    references=("result_id",),
)
READING = choreography(
    "reading",
    {ResultQueried: ()},
    key=lambda event: str(event.query_id),
    starts=(ResultQueried,),
    outcomes={ResultQueried: "completed"},
    references=("result_id",),
)
LISTING = choreography(
    "listing",
    {UsersListed: ()},
    key=lambda event: str(event.listing_id),
    starts=(UsersListed,),
    outcomes={UsersListed: "completed"},
)

SAGAS = (REGISTRATION, RESULT, READING, LISTING)
