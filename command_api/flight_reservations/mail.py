"""The mail to customers about their reservations, in Spanish."""

from collections.abc import Mapping

from aggregates.flight_reservations.customers import CUSTOMER
from aggregates.flight_reservations.notifications import NOTIFICATIONS
from aggregates.notifications.notification import Notification
from command_api.handling.activities import ActivityContext
from command_api.notifications.mail import delivering
from schemas.errors import Undeliverable

_TEXTS: Mapping[str, tuple[str, str]] = {
    "created": ("Reserva creada", "Su reserva está pendiente de aprobación."),
    "approved": ("Reserva aprobada", "Su reserva está aprobada: ya puede pagarla."),
    "paid": ("Reserva pagada", "Recibimos el pago de su reserva."),
    "cancelled": ("Reserva cancelada", "Su reserva está cancelada."),
}
"""Subject and text by the kind of the notification."""


async def mailbox(notification: Notification, context: ActivityContext) -> str:
    """Returns the customer's address; raises `Undeliverable` for a customer who was erased, or is not registered yet."""
    may_come = False
    for id in notification.recipients:
        customer = await context.load(CUSTOMER, id)
        may_come = may_come or customer.status == "none"
        if email := await context.plain(customer.email):
            return email
    raise Undeliverable("the customer has no mailbox", may_work_later=may_come)


def text(notification: Notification) -> tuple[str, str]:
    """Returns the subject and the text."""
    subject, sentence = _TEXTS[notification.kind or ""]
    return subject, f"{sentence}\n\nReserva: {notification.about}\n"


ACTIVITIES = (delivering(NOTIFICATIONS, mailbox, text),)
