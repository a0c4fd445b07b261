"""The mail that the clinical laboratory sends, in its patients' Spanish."""

import structlog

from aggregates.clinical_lab.notifications import NOTIFICATION, Notification
from aggregates.clinical_lab.users import USER
from command_api.handling.activities import Activity, ActivityContext
from schemas.clinical_lab.notifications import DeliverNotification, RecordDelivery
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable, Undeliverable
from streams.integrations.mail import Mail, send

_log = structlog.get_logger()


async def deliver(command: CommandEnvelope[DeliverNotification], context: ActivityContext) -> RecordDelivery:
    """Hands a notification to the mail server, addressed to the first of its recipients who is a user."""
    data = command.data
    outcome = RecordDelivery(notification_id=data.notification_id, attempt=data.attempt)
    notification = await context.load(NOTIFICATION, str(data.notification_id))
    if notification.kind is None or notification.finished:
        return outcome
    try:
        to = await _mailbox(notification, context)
        subject, text = _text(notification)
        await send(context.settings, Mail(to, subject, text, id=str(data.notification_id)))
    except Undeliverable as error:
        return _failed(outcome, error.detail, may_work_later=error.may_work_later)
    except Unavailable:
        raise  # the command is handled again
    except Exception as error:
        # A wrong key or a fault in the code must not lose mail: it is tried again like any other that was not delivered.
        _log.exception("notification not delivered", notification=str(data.notification_id))
        return _failed(outcome, f"it could not be delivered: {type(error).__name__}", may_work_later=True)
    return outcome


def _failed(outcome: RecordDelivery, problem: str, *, may_work_later: bool) -> RecordDelivery:
    return outcome.model_copy(update={"problem": problem, "may_work_later": may_work_later})


async def _mailbox(notification: Notification, context: ActivityContext) -> str:
    for recipient in notification.recipients:
        user = await context.load(USER, recipient)
        decrypted = await context.keys.decrypted(filter(None, (user.email, user.username)))
        email, name = decrypted.get(user.email or ""), decrypted.get(user.username or "")
        if email is not None:
            return email
        if name is not None:
            return name if "@" in name else f"{name}@{context.settings.mail_domain}"
    raise Undeliverable("none of its recipients has a mailbox", may_work_later=False)


def _text(notification: Notification) -> tuple[str, str]:
    if notification.kind == "welcome":
        return "Bienvenido al laboratorio clínico", "Su cuenta está lista: ya puede iniciar sesión.\n"
    # The result itself is only shown to users who sign in.
    text = f"El resultado {notification.about} está disponible. Inicie sesión para consultarlo.\n"
    return f"Resultado {notification.about} disponible", text


ACTIVITIES = (Activity(DeliverNotification, deliver),)
