"""The mail that the clinical laboratory sends, in its patients' Spanish."""

from aggregates.clinical_lab.notifications import NOTIFICATIONS
from aggregates.clinical_lab.users import USER
from aggregates.notifications.notification import Notification
from command_api.handling.activities import ActivityContext
from command_api.notifications.mail import delivering
from schemas.errors import Undeliverable


async def mailbox(notification: Notification, context: ActivityContext) -> str:
    """Returns the address of the first recipient who is a user and has one; raises `Undeliverable`."""
    for recipient in notification.recipients:
        user = await context.load(USER, recipient)
        decrypted = await context.keys.decrypted(filter(None, (user.email, user.username)))
        email, name = decrypted.get(user.email or ""), decrypted.get(user.username or "")
        if email is not None:
            return email
        if name is not None:
            return name if "@" in name else f"{name}@{context.settings.mail_domain}"
    raise Undeliverable("none of its recipients has a mailbox", may_work_later=False)


def text(notification: Notification) -> tuple[str, str]:
    """Returns the subject and the text. The result itself is only shown to users who sign in."""
    if notification.kind == "welcome":
        return "Bienvenido al laboratorio clínico", "Su cuenta está lista: ya puede iniciar sesión.\n"
    available = f"El resultado {notification.about} está disponible. Inicie sesión para consultarlo.\n"
    return f"Resultado {notification.about} disponible", available


ACTIVITIES = (delivering(NOTIFICATIONS, mailbox, text),)
