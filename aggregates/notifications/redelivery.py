"""Redelivery: a saga that tries failed deliveries of mail again."""

from uuid import UUID

from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.state import State
from schemas.engine.sagas import SagaInput
from schemas.notifications.messages import DeliveryFailed, NotificationFailed, NotificationMessages, NotificationSent


class Redelivery(State):
    """Mail that could not be delivered."""

    notification_id: UUID | None = None
    attempt: int = 0


def redelivery(messages: NotificationMessages) -> SagaDefinition[Redelivery]:
    """Returns the saga of the system with these messages."""

    def again(state: Redelivery, input: SagaInput) -> Transition[Redelivery]:
        return Transition(
            state, send=[Send(messages.deliver(notification_id=state.notification_id, attempt=state.attempt + 1))]
        )

    return SagaDefinition(
        "redelivery",
        Redelivery,
        {
            messages.delivery_failed: Reaction("notification_id", failed, starts=True),
            messages.sent: Reaction(_if_repeated, sent),
            messages.failed: Reaction(_if_repeated, given_up),
        },
        on_timer={"again": again},
        references=("notification_id",),
    )


def failed(_: Redelivery, event: DeliveryFailed, input: SagaInput) -> Transition[Redelivery]:
    state = Redelivery(notification_id=event.notification_id, attempt=event.attempt)
    return Transition(state, set_timers={"again": event.again_at})


def sent(state: Redelivery, event: NotificationSent, input: SagaInput) -> Transition[Redelivery]:
    return Transition(state, status="completed")


def given_up(state: Redelivery, event: NotificationFailed, input: SagaInput) -> Transition[Redelivery]:
    return Transition(state, status="failed", reason=event.problem)


def _if_repeated(event: NotificationSent | NotificationFailed) -> str | None:
    """Returns the saga's key; ``None`` for mail whose first attempt was the last, which needs no saga."""
    return str(event.notification_id) if event.attempt > 1 else None
