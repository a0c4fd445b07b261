"""The delivery of a notification: one attempt to hand it to the mail server, whose result becomes the command."""

from collections.abc import Awaitable, Callable

import structlog

from aggregates.notifications.notification import Notification, Notifications
from command_api.handling.activities import Activity, ActivityContext
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable, Undeliverable
from schemas.notifications.messages import DeliverNotification, RecordDelivery
from streams.integrations.mail import Mail, send

_log = structlog.get_logger()

Mailbox = Callable[[Notification, ActivityContext], Awaitable[str]]
"""Returns the address of the first recipient who has one; raises `Undeliverable`."""
Text = Callable[[Notification], tuple[str, str]]
"""Returns the subject and the text of the mail."""


def delivering(notifications: Notifications, mailbox: Mailbox, text: Text) -> Activity[DeliverNotification]:
    """Returns the activity that delivers a system's notifications."""
    messages = notifications.messages

    async def deliver(command: CommandEnvelope[DeliverNotification], context: ActivityContext) -> RecordDelivery:
        data = command.data
        outcome = messages.record(notification_id=data.notification_id, attempt=data.attempt)
        notification = await context.load(notifications.stream, str(data.notification_id))
        if notification.kind is None or notification.finished:
            return outcome
        try:
            to = await mailbox(notification, context)
            subject, body = text(notification)
            await send(context.settings, Mail(to, subject, body, id=str(data.notification_id)))
        except Undeliverable as error:
            return _failed(outcome, error.detail, may_work_later=error.may_work_later)
        except Unavailable:
            raise  # the command is handled again
        except Exception as error:
            # A wrong key or a fault in the code must not lose mail: it is tried again like any other that was not delivered.
            _log.exception("notification not delivered", notification=str(data.notification_id))
            return _failed(outcome, f"it could not be delivered: {type(error).__name__}", may_work_later=True)
        return outcome

    return Activity(messages.deliver, deliver)


def _failed(outcome: RecordDelivery, problem: str, *, may_work_later: bool) -> RecordDelivery:
    return outcome.model_copy(update={"problem": problem, "may_work_later": may_work_later})
