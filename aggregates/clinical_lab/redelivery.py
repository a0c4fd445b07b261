"""Redelivery: has mail that could not be delivered tried again."""

from uuid import UUID

from pydantic import BaseModel

from aggregates.sagas.definition import Ids, Next, On, SagaDefinition, Send
from schemas.clinical_lab.notifications import DeliverNotification, DeliveryFailed, NotificationFailed, NotificationSent
from schemas.engine.sagas import Cause


class Redelivery(BaseModel):
    """What is known of mail that could not be delivered."""

    notification_id: UUID | None = None
    attempt: int = 0


def failed(_: Redelivery, event: DeliveryFailed, cause: Cause) -> Next[Redelivery]:
    known = Redelivery(notification_id=event.notification_id, attempt=event.attempt)
    return Next(known, set_timers={"again": event.again_at})


def again(known: Redelivery, cause: Cause) -> Next[Redelivery]:
    return Next(known, send=[Send(DeliverNotification(notification_id=known.notification_id, attempt=known.attempt + 1))])


REDELIVERY = SagaDefinition(
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
