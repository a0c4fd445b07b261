"""The laboratory's processes: three that nobody leads, each service reacting to the others, and one that tries mail again."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from aggregates.choreography import choreography
from aggregates.process_manager import Ids, Next, On, ProcessManager, Rules, Send
from schemas.clinical_lab.notifications import (
    DeliverNotification,
    DeliveryFailed,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.users import UserCreated
from schemas.engine.processes import Cause

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


class Redelivery(BaseModel):
    """What is known of mail that could not be delivered."""

    notification_id: UUID | None = None
    attempt: int = 0


def failed(_: Redelivery, event: DeliveryFailed, cause: Cause) -> Next[Redelivery]:
    known = Redelivery(notification_id=event.notification_id, attempt=event.attempt)
    return Next(known, set_timers={"again": event.again_at})


def again(known: Redelivery, cause: Cause) -> Next[Redelivery]:
    return Next(known, send=[Send(DeliverNotification(notification_id=known.notification_id, attempt=known.attempt + 1))])


REDELIVERY = ProcessManager(
    "redelivery",
    Redelivery,
    {
        DeliveryFailed: On(lambda event: str(event.notification_id), failed, begins=True),
        NotificationSent: On(
            lambda event: str(event.notification_id) if event.attempt > 1 else None,
            lambda known, event, cause: Next(known, status="completed"),
        ),
        NotificationFailed: On(
            lambda event: str(event.notification_id) if event.attempt > 1 else None,
            lambda known, event, cause: Next(known, status="failed", reason=event.problem),
        ),
    },
    sends=(DeliverNotification,),
    on_timer={"again": again},
    ids=lambda known: Ids(real=None if known.notification_id is None else str(known.notification_id)),
)
PROCESSES = (REGISTRATION, RESULT, READING, REDELIVERY)
