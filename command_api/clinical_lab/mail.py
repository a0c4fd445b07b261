"""The mail that the clinical laboratory sends, in its patients' Spanish."""

import structlog

from aggregates.clinical_lab.notifications import Notification
from aggregates.clinical_lab.users import User
from command_api.handling.activities import Activity, ActivityContext
from schemas.catalog import ContextName
from schemas.clinical_lab.notifications import DeliverNotification, RecordDelivery
from schemas.clinical_lab.users import USERS
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable, Undeliverable
from streams.integrations.mail import Mail, send

_log = structlog.get_logger()

NOTIFICATIONS = ContextName("clinical_lab", "notifications")


async def deliver(issued: CommandEnvelope[DeliverNotification], surroundings: ActivityContext) -> RecordDelivery:
    """Hands a notification to the mail server, addressed to the first of its recipients who is a user."""
    command = issued.data
    outcome = RecordDelivery(notification_id=command.notification_id, attempt=command.attempt)
    notification = await surroundings.load(NOTIFICATIONS, Notification, str(command.notification_id))
    if notification.kind is None or notification.settled:
        return outcome
    try:
        to = await _mailbox(notification, surroundings)
        subject, text = _text(notification)
        await send(surroundings.settings, Mail(to, subject, text, id=str(command.notification_id)))
    except Undeliverable as error:
        return _failed(outcome, error.detail, may_work_later=error.may_work_later)
    except Unavailable:
        raise  # it comes again
    except Exception as error:
        # A wrong key or a slip must cost nobody their mail: it is tried again like any other that could not be delivered.
        _log.exception("a notification could not be delivered", notification=str(command.notification_id))
        return _failed(outcome, f"it could not be delivered: {type(error).__name__}", may_work_later=True)
    return outcome


def _failed(outcome: RecordDelivery, problem: str, *, may_work_later: bool) -> RecordDelivery:
    return outcome.model_copy(update={"problem": problem, "may_work_later": may_work_later})


async def _mailbox(notification: Notification, surroundings: ActivityContext) -> str:
    for recipient in notification.recipients:
        user = await surroundings.load(USERS, User, recipient)
        decrypted = await surroundings.keys.decrypted(filter(None, (user.email, user.username)))
        email, name = decrypted.get(user.email or ""), decrypted.get(user.username or "")
        if email is not None:
            return email
        if name is not None:
            return name if "@" in name else f"{name}@{surroundings.settings.mail_domain}"
    raise Undeliverable("none of its recipients has a mailbox", may_work_later=False)


def _text(notification: Notification) -> tuple[str, str]:
    if notification.kind == "welcome":
        return "Bienvenido al laboratorio clínico", "Su cuenta está lista: ya puede iniciar sesión.\n"
    # What the result says is for those who sign in, and not for a mailbox.
    text = f"El resultado {notification.about} está disponible. Inicie sesión para consultarlo.\n"
    return f"Resultado {notification.about} disponible", text


ACTIVITIES = (Activity(DeliverNotification, deliver),)
