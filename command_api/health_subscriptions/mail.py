"""The mail to the customers of subscriptions, in Spanish. It names no card, no tax number and no other number of a person."""

from collections.abc import Mapping

from aggregates.health_subscriptions.notifications import NOTIFICATIONS
from aggregates.health_subscriptions.subscriptions import REQUEST, SUBSCRIPTION
from aggregates.notifications.notification import Notification
from command_api.handling.activities import ActivityContext
from command_api.notifications.mail import delivering
from schemas.errors import Undeliverable

_TEXTS: Mapping[str, tuple[str, str]] = {
    "created": ("Suscripción creada", "Su suscripción está activa."),
    "activated": ("Suscripción activa", "La transacción ha sido finalizada exitosamente."),
    "failed": ("Suscripción no creada", "No se pudo crear su suscripción."),
    "removed": ("Suscripción no creada", "No se pudo completar su suscripción, y se retiró."),
    "plan_changed": ("Cambio de plan", "El plan de su suscripción cambió."),
    "cancelled": ("Suscripción cancelada", "Su suscripción está cancelada."),
    "paid": ("Pago recibido", "Recibimos el pago de su suscripción."),
    "expert_assigned": ("Experto asignado", "Su servicio de datos tiene un experto asignado."),
    "started": ("Servicio de datos iniciado", "Su servicio de datos está iniciado."),
    "finished": ("Servicio de datos terminado", "Su servicio de datos está terminado."),
}
"""Subject and text by the kind of the notification."""


async def mailbox(notification: Notification, context: ActivityContext) -> str:
    """Returns the customer's address, from the subscription or else from its request; raises `Undeliverable`.

    A request that failed may be another customer's than the subscription that has its id.
    """
    for id in notification.recipients:
        requests, subscriptions = (await context.load(REQUEST, id)).email, (await context.load(SUBSCRIPTION, id)).email
        for encrypted in (requests,) if notification.kind == "failed" else (subscriptions, requests):
            if email := await context.plain(encrypted):
                return email
    raise Undeliverable("the customer has no mailbox", may_work_later=False)


def text(notification: Notification) -> tuple[str, str]:
    """Returns the subject and the text."""
    subject, sentence = _TEXTS[notification.kind or ""]
    return subject, f"{sentence}\n\nSuscripción: {notification.about}\n"


ACTIVITIES = (delivering(NOTIFICATIONS, mailbox, text),)
