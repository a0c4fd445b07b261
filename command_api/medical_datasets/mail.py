"""The mail to the operator about datasets, in Spanish; none without an operator's address."""

from collections.abc import Mapping
from urllib.parse import quote

from aggregates.medical_datasets.notifications import NOTIFICATIONS
from aggregates.notifications.notification import Notification
from command_api.handling.activities import Activity, ActivityContext
from command_api.notifications.mail import delivering
from schemas.envelope import CommandEnvelope
from schemas.errors import Undeliverable
from schemas.medical_datasets.notifications import RequestNotification

_REQUEST, _DATASET = "/anonimacion/solicitudes/", "/procesamiento/datasets/"
_TEXTS: Mapping[str, tuple[str, str, str | None]] = {
    "dataset_created": ("Dataset creado", "Hay un dataset nuevo.", _DATASET),
    "anonymisation_failed": ("Anonimización fallida", "La solicitud no se pudo anonimizar.", _REQUEST),
    "mapping_failed": ("Mapeo fallido", "El paquete no se pudo escribir como Parquet.", None),
    "processing_failed": ("Procesamiento fallido", "El dataset no se pudo crear.", _DATASET),
    "dataset_took_too_long": ("Paquete sin terminar", "Un paso tardó demasiado y el archivo Parquet se eliminó.", None),
    "took_too_long": ("Solicitud sin terminar", "Un paso de la solicitud tardó demasiado y la solicitud se deshizo.", _REQUEST),
}
"""Subject, text, and the path that shows more, by the kind of the notification."""


async def address(command: CommandEnvelope[RequestNotification], context: ActivityContext) -> RequestNotification:
    """Returns the command: without recipients if the deployment has no operator's address (`CAUDAL_MAIL_OPERATOR`)."""
    return command.data if context.settings.mail_operator else command.data.model_copy(update={"recipients": ()})


async def mailbox(notification: Notification, context: ActivityContext) -> str:
    """Returns the operator's address; raises `Undeliverable` if the deployment has none any more."""
    if context.settings.mail_operator:
        return context.settings.mail_operator
    raise Undeliverable("the operator has no address", may_work_later=False)


def text(notification: Notification) -> tuple[str, str]:
    """Returns the subject and the text: an id, and where callers with access read more."""
    subject, sentence, path = _TEXTS[notification.kind or ""]
    more = "" if path is None else f"Ver {path}{quote(notification.about, safe='')}\n"
    return f"{subject}: {notification.about}", f"{sentence}\n\nId: {notification.about}\n{more}"


ACTIVITIES = (
    Activity(RequestNotification, address, has_side_effects=False),
    delivering(NOTIFICATIONS, mailbox, text),
)
