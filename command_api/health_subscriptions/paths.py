"""The subscriptions' own paths for commands. Most are only accepted: their clients do not wait for the outcome."""

from collections.abc import Mapping, Sequence
from typing import Any

from command_api.health_subscriptions import images
from command_api.health_subscriptions.bodies import data_services as of_services
from command_api.health_subscriptions.bodies import images as of_images
from command_api.health_subscriptions.bodies import notifications as of_notifications
from command_api.health_subscriptions.bodies import subscriptions as of_subscriptions
from command_api.health_subscriptions.bodies.body import Cuerpo
from command_api.http.paths import AcceptedCommandPath, CommandPath, Made, OwnPath, Translation, UploadPath
from schemas.clients.dialect import Dialect
from schemas.envelope import Receipt
from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients import dialect
from schemas.health_subscriptions.clients.images import ImagenSubida, SubidaEnCuarentena, nine_fields
from schemas.health_subscriptions.imaging import (
    AnonymiseImage,
    DiscardImage,
    ImageAnonymised,
    QuarantineImage,
    RecordImage,
    ReleaseImage,
)
from schemas.health_subscriptions.notifications import ReceiveEvent
from schemas.message import Command, Event

_LENIENT = ("application/json", "json/application", "aplication/json", "")
"""The names that clients give to JSON."""
_REQUEST = "/procesamiento/imagenes/{key}"
_SUBSCRIPTION, _SERVICE = "/suscripciones/suscripcion-query/{key}", "/serviciodatos/serviciodatos-query/{key}"


def anonymised(command: AnonymiseImage, receipt: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the image as it was recorded, with its number."""
    (image,) = (event for event in events if isinstance(event, ImageAnonymised))
    shown = nine_fields(image)
    return {"id": receipt.position, "datos_procesados": {"id": receipt.position, "datos_procesados": shown}}


def received(command: ReceiveEvent, _: Receipt, __: Sequence[Event]) -> Mapping[str, Any]:
    """Returns what the clients of test notifications expect."""
    return {"message": f"Notificación para el evento '{command.text}' enviada exitosamente."}


def _accepted(
    path: str, command: type[Command], translation: Translation, location: str, errors: Dialect
) -> AcceptedCommandPath:
    return AcceptedCommandPath(path, command, translation=translation, location=location, media_types=_LENIENT, errors=errors)


def _of_subscription(path: str, command: type[Command], body: type[Cuerpo], make: Any) -> AcceptedCommandPath:
    return _accepted(path, command, Translation(body, make), _SUBSCRIPTION, dialect.SUBSCRIPTIONS)


def _of_service(path: str, command: type[Command], body: type[Cuerpo], make: Any) -> AcceptedCommandPath:
    return _accepted(path, command, Translation(body, make), _SERVICE, dialect.DATA_SERVICES)


PATHS: tuple[OwnPath, ...] = (
    _of_subscription(
        "/suscripciones/suscripcion-comando",
        subscriptions.CreateSubscription,
        of_subscriptions.NuevaSuscripcion,
        of_subscriptions.create_subscription,
    ),
    _of_subscription(
        "/sagas/iniciar-suscripcion-comando",
        subscriptions.StartSubscription,
        of_subscriptions.NuevaSuscripcion,
        of_subscriptions.start_subscription,
    ),
    _of_subscription(
        "/suscripciones/cambiar-plan-comando",
        subscriptions.ChangePlan,
        of_subscriptions.CambioDePlan,
        of_subscriptions.change_plan,
    ),
    _of_subscription(
        "/suscripciones/cancelar-comando",
        subscriptions.CancelSubscription,
        of_subscriptions.Cancelacion,
        of_subscriptions.cancel,
    ),
    _of_subscription(
        "/suscripciones/pagar-comando", subscriptions.PaySubscription, of_subscriptions.Pago, of_subscriptions.pay
    ),
    _of_service(
        "/serviciodatos/serviciodatos-comando",
        services.CreateDataService,
        of_services.NuevoServicio,
        of_services.create_data_service,
    ),
    _of_service(
        "/serviciodatos/asignar-experto-comando", services.AssignExpert, of_services.Asignacion, of_services.assign_expert
    ),
    _of_service(
        "/serviciodatos/iniciar-comando", services.StartDataService, of_services.Inicio, of_services.start_data_service
    ),
    _of_service(
        "/serviciodatos/terminar-comando", services.FinishDataService, of_services.Termino, of_services.finish_data_service
    ),
    AcceptedCommandPath(
        "/procesamiento/procesar-imagen",
        AnonymiseImage,
        {"status": "Mensaje enviado"},
        translation=Translation(of_images.ImagenEnviada, of_images.process),
        location=_REQUEST,
        media_types=_LENIENT,
        errors=dialect.SENT_IMAGES,
    ),
    CommandPath(
        "/anonimizar",
        AnonymiseImage,
        anonymised,
        translation=Translation(of_images.ImagenCompleta, of_images.anonymise),
        with_events=True,
        status=200,
        media_types=_LENIENT,
        errors=dialect.IMAGES,
    ),
    UploadPath(
        "/procesamiento/imagenes",
        {RecordImage: Made(201, ImagenSubida), QuarantineImage: Made(202, SubidaEnCuarentena)},
        of_images.ImagenDicom,
        images.receive,
        images.uploaded,
        media_types=("application/dicom", "application/octet-stream"),
        with_events=True,
        location=_REQUEST,
        errors=dialect.IMAGES,
    ),
    CommandPath(
        "/procesamiento/cuarentena/{id}/liberar",
        ReleaseImage,
        {"estado": "LIBERADA"},
        translation=Translation(None, images.released),
        status=200,
        errors=dialect.IMAGES,
    ),
    CommandPath(
        "/procesamiento/cuarentena/{id}/descartar",
        DiscardImage,
        {"estado": "DESCARTADA"},
        translation=Translation(None, images.discarded),
        status=200,
        errors=dialect.IMAGES,
    ),
    CommandPath(
        "/test-notification",
        ReceiveEvent,
        received,
        translation=Translation(of_notifications.EventoDePrueba, of_notifications.receive),
        status=200,
        media_types=_LENIENT,
        errors=dialect.TEST_NOTIFICATIONS,
    ),
)
