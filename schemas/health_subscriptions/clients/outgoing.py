"""The topics of the subscriptions for other teams. Nothing of a person is published."""

from typing import Any

from schemas.envelope import RecordedEvent
from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.records import IMAGING, NOTIFICATIONS, SERVICES, SUBSCRIPTIONS, record
from schemas.health_subscriptions.imaging import ImageAnonymised, ImageQuarantined, ImageRejected
from schemas.health_subscriptions.notifications import (
    NotificationConfirmed,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from schemas.integration import Content, OutgoingTopic


def _created(recorded: RecordedEvent[subscriptions.SubscriptionCreated]) -> Content:
    data = recorded.data
    return {
        "codigo_cliente": data.customer.code,
        "codigo_plan": data.plan.code,
        "id_suscripcion": str(data.subscription_id),
    }


def _of_subscription(recorded: RecordedEvent[Any]) -> Content:
    return {"id_suscripcion": str(recorded.data.subscription_id), "motivo": recorded.data.reason}


def _paid(recorded: RecordedEvent[subscriptions.SubscriptionPaid]) -> Content:
    data = recorded.data
    return {"id_suscripcion": str(data.subscription_id), "id_factura": str(data.invoice.invoice_id)}


def _plan_changed(recorded: RecordedEvent[subscriptions.PlanChanged]) -> Content:
    data = recorded.data
    return {"id_suscripcion": str(data.subscription_id), "plan_anterior": data.old.code, "plan_nuevo": data.new.code}


def _finished(_: RecordedEvent[subscriptions.SubscriptionActivated]) -> Content:
    return "ProcesoFinalizado"


def _infrastructure(recorded: RecordedEvent[Any]) -> Content:
    data = recorded.data
    return {"id_serviciodatos": str(data.data_service_id), "id_suscripcion": str(data.subscription_id)}


def _no_infrastructure(recorded: RecordedEvent[services.InfrastructureNotCreated]) -> Content:
    return {"id_suscripcion": str(recorded.data.subscription_id)}


def _service_created(recorded: RecordedEvent[services.DataServiceCreated]) -> Content:
    data = recorded.data
    return {
        "id_serviciodatos": str(data.data_service_id),
        "codigo_suscripcion": data.subscription_code,
        "codigo_experto": data.expert_code,
        "codigo_nube": data.cloud.code,
        "codigo_data_set": data.dataset.code,
    }


def _expert(recorded: RecordedEvent[services.ExpertAssigned]) -> Content:
    return {"id_serviciodatos": str(recorded.data.data_service_id), "codigo_experto": recorded.data.expert.code}


def _service(recorded: RecordedEvent[Any]) -> Content:
    return {"id_serviciodatos": str(recorded.data.data_service_id), "motivo": getattr(recorded.data, "reason", None)}


def _image(recorded: RecordedEvent[ImageAnonymised]) -> Content:
    data = recorded.data
    return {"id": recorded.position, "id_imagen": data.image_id, "fecha_ingesta": data.ingested_year}


def _quarantined(recorded: RecordedEvent[ImageQuarantined]) -> Content:
    data = recorded.data
    return {"id": str(data.quarantine_id), "id_imagen": data.image_id, "motivo": data.file.reason}


def _image_rejected(recorded: RecordedEvent[ImageRejected]) -> Content:
    return {"id_imagen": recorded.data.image_id, "motivo": recorded.data.reason}


def _notification(kind: str) -> Any:
    def content(recorded: RecordedEvent[Any]) -> Content:
        return {"id_notificacion": str(recorded.data.notification_id), "tipo": kind, "causa": recorded.data.cause}

    return content


_NOTIFICATION = record("EventoNotificacion", NOTIFICATIONS, "id_notificacion", "tipo", "causa")
OUTGOING = (
    OutgoingTopic(
        "eventos-suscripcion-creada", subscriptions.SubscriptionCreated, _created,
        record("EventoSuscripcionCreada", SUBSCRIPTIONS, "codigo_cliente", "codigo_plan", "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-fallida", subscriptions.SubscriptionFailed, _of_subscription,
        record("EventoSuscripcionFallida", SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-eliminada", subscriptions.SubscriptionRemoved, _of_subscription,
        record("EventoSuscripcionEliminada", SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-cancelada", subscriptions.SubscriptionCancelled, _of_subscription,
        record("EventoSuscripcionCancelada", SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-pagada", subscriptions.SubscriptionPaid, _paid,
        record("EventoSuscripcionPagada", SUBSCRIPTIONS, "id_suscripcion", "id_factura"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-plan-modificado", subscriptions.PlanChanged, _plan_changed,
        record("EventoSuscripcionPlanModificado", SUBSCRIPTIONS, "id_suscripcion", "plan_anterior", "plan_nuevo"),
    ),
    OutgoingTopic("suscripciones-topic", subscriptions.SubscriptionActivated, _finished),
    OutgoingTopic(
        "eventos-infraestructura-creada", services.InfrastructureCreated, _infrastructure,
        record("EventoInfraestructuraCreada", SERVICES, "id_serviciodatos", "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-infraestructura-no-creada", services.InfrastructureNotCreated, _no_infrastructure,
        record("EventoInfraestructuraNoCreada", SERVICES, "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-infraestructura-eliminada", services.InfrastructureRemoved, _infrastructure,
        record("EventoInfraestructuraEliminada", SERVICES, "id_serviciodatos", "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-servicio-datos", services.DataServiceCreated, _service_created,
        record(
            "EventoServicioDatosCreada", SERVICES,
            "id_serviciodatos", "codigo_suscripcion", "codigo_experto", "codigo_nube", "codigo_data_set",
        ),
    ),
    OutgoingTopic(
        "eventos-experto-asignado", services.ExpertAssigned, _expert,
        record("EventoExpertoAsignado", SERVICES, "id_serviciodatos", "codigo_experto"),
    ),
    OutgoingTopic(
        "eventos-servicio-datos-iniciado", services.DataServiceStarted, _service,
        record("EventoServicioDatosIniciado", SERVICES, "id_serviciodatos", "motivo"),
    ),
    OutgoingTopic(
        "eventos-servicio-datos-terminado", services.DataServiceFinished, _service,
        record("EventoServicioDatosTerminado", SERVICES, "id_serviciodatos", "motivo"),
    ),
    OutgoingTopic(
        "eventos-anonimizacion", ImageAnonymised, _image,
        record("EventoAnonimizacion", IMAGING, "id_imagen", id="long", fecha_ingesta="int"),
    ),
    OutgoingTopic(
        "eventos-imagen-en-cuarentena", ImageQuarantined, _quarantined,
        record("EventoImagenEnCuarentena", IMAGING, "id", "id_imagen", "motivo"),
    ),
    OutgoingTopic(
        "eventos-imagen-rechazada", ImageRejected, _image_rejected,
        record("EventoImagenRechazada", IMAGING, "id_imagen", "motivo"),
    ),
    OutgoingTopic("eventos-notificacion", NotificationRequested, _notification("Creada"), _NOTIFICATION),
    OutgoingTopic("eventos-notificacion", NotificationSent, _notification("Enviada"), _NOTIFICATION),
    OutgoingTopic("eventos-notificacion", NotificationConfirmed, _notification("Confirmada"), _NOTIFICATION),
    OutgoingTopic("eventos-notificacion", NotificationFailed, _notification("Error"), _NOTIFICATION),
)  # fmt: skip
