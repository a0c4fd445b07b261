"""The subscriptions' topics for other teams, and those on which they send commands. Nothing of a person is published."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.envelope import RecordedEvent
from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.spanish import (
    UNKNOWN_FORMAT,
    UNKNOWN_MODALITY,
    UNKNOWN_PATHOLOGY,
    UNKNOWN_REGION,
    cents_of,
    ending_of,
    year_of,
)
from schemas.health_subscriptions.imaging import AnonymiseImage, ImageAnonymised, QueryImage
from schemas.health_subscriptions.notifications import NotificationFailed, NotificationRequested, NotificationSent, ReceiveEvent
from schemas.health_subscriptions.parts import Money, Plan
from schemas.integration import Content, IncomingTopic, OutgoingTopic, Record
from schemas.message import Command
from schemas.values.literals import read_uuid

_SUBSCRIPTIONS, _SERVICES, _IMAGING, _NOTIFICATIONS = "suscripciones", "serviciodatos", "procesamiento", "notificaciones"


def _record(name: str, service: str, *fields: str, **types: str) -> Record:
    return Record(name, {**dict.fromkeys(fields, "string"), **types}, service=service)


# Outgoing.


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


def _notification(kind: str) -> Any:
    def content(recorded: RecordedEvent[Any]) -> Content:
        return {"id_notificacion": str(recorded.data.notification_id), "tipo": kind, "causa": recorded.data.cause}

    return content


_NOTIFICATION = _record("EventoNotificacion", _NOTIFICATIONS, "id_notificacion", "tipo", "causa")
OUTGOING = (
    OutgoingTopic(
        "eventos-suscripcion-creada", subscriptions.SubscriptionCreated, _created,
        _record("EventoSuscripcionCreada", _SUBSCRIPTIONS, "codigo_cliente", "codigo_plan", "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-fallida", subscriptions.SubscriptionFailed, _of_subscription,
        _record("EventoSuscripcionFallida", _SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-eliminada", subscriptions.SubscriptionRemoved, _of_subscription,
        _record("EventoSuscripcionEliminada", _SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-cancelada", subscriptions.SubscriptionCancelled, _of_subscription,
        _record("EventoSuscripcionCancelada", _SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-pagada", subscriptions.SubscriptionPaid, _paid,
        _record("EventoSuscripcionPagada", _SUBSCRIPTIONS, "id_suscripcion", "id_factura"),
    ),
    OutgoingTopic(
        "eventos-suscripcion-plan-modificado", subscriptions.PlanChanged, _plan_changed,
        _record("EventoSuscripcionPlanModificado", _SUBSCRIPTIONS, "id_suscripcion", "plan_anterior", "plan_nuevo"),
    ),
    OutgoingTopic("suscripciones-topic", subscriptions.SubscriptionActivated, _finished),
    OutgoingTopic(
        "eventos-infraestructura-creada", services.InfrastructureCreated, _infrastructure,
        _record("EventoInfraestructuraCreada", _SERVICES, "id_serviciodatos", "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-infraestructura-no-creada", services.InfrastructureNotCreated, _no_infrastructure,
        _record("EventoInfraestructuraNoCreada", _SERVICES, "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-infraestructura-eliminada", services.InfrastructureRemoved, _infrastructure,
        _record("EventoInfraestructuraEliminada", _SERVICES, "id_serviciodatos", "id_suscripcion"),
    ),
    OutgoingTopic(
        "eventos-servicio-datos", services.DataServiceCreated, _service_created,
        _record(
            "EventoServicioDatosCreada", _SERVICES,
            "id_serviciodatos", "codigo_suscripcion", "codigo_experto", "codigo_nube", "codigo_data_set",
        ),
    ),
    OutgoingTopic(
        "eventos-experto-asignado", services.ExpertAssigned, _expert,
        _record("EventoExpertoAsignado", _SERVICES, "id_serviciodatos", "codigo_experto"),
    ),
    OutgoingTopic(
        "eventos-servicio-datos-iniciado", services.DataServiceStarted, _service,
        _record("EventoServicioDatosIniciado", _SERVICES, "id_serviciodatos", "motivo"),
    ),
    OutgoingTopic(
        "eventos-servicio-datos-terminado", services.DataServiceFinished, _service,
        _record("EventoServicioDatosTerminado", _SERVICES, "id_serviciodatos", "motivo"),
    ),
    OutgoingTopic(
        "eventos-anonimizacion", ImageAnonymised, _image,
        _record("EventoAnonimizacion", _IMAGING, "id_imagen", id="long", fecha_ingesta="int"),
    ),
    OutgoingTopic("eventos-notificacion", NotificationRequested, _notification("Creada"), _NOTIFICATION),
    OutgoingTopic("eventos-notificacion", NotificationSent, _notification("Enviada"), _NOTIFICATION),
    OutgoingTopic("eventos-notificacion", NotificationFailed, _notification("Error"), _NOTIFICATION),
)  # fmt: skip

# Incoming.

_CUSTOMER = (
    "cliente_codigo", "cliente_nombres", "cliente_apellidos", "cliente_usuario", "cliente_rut", "cliente_cedula",
    "cliente_email", "plan_codigo", "plan_nombre", "id_suscripcion",
)  # fmt: skip
_EXPERT = (
    "experto_codigo", "experto_nombres", "experto_apellidos", "experto_usuario", "experto_cedula", "experto_email",
)  # fmt: skip


def _subscriber(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subscription_id": _optional_id(data.get("id_suscripcion")),
        "customer_code": data["cliente_codigo"],
        "first_names": data["cliente_nombres"],
        "last_names": data["cliente_apellidos"],
        "username": data["cliente_usuario"],
        "tax_id": data["cliente_rut"],
        "national_id": data["cliente_cedula"],
        "email": data["cliente_email"],
        "plan": _plan(data),
    }


def _optional_id(text: str | None) -> UUID | None:
    return None if text is None else read_uuid(text)


def _plan(data: Mapping[str, Any]) -> Plan:
    return Plan(code=data.get("plan_codigo") or "", name=data.get("plan_nombre") or "")


def _start(data: Mapping[str, Any]) -> Command:
    return subscriptions.StartSubscription(**_subscriber(data))


def _create(data: Mapping[str, Any]) -> Command:
    return subscriptions.CreateSubscription(**_subscriber(data))


def _remove(data: Mapping[str, Any]) -> Command:
    return subscriptions.RemoveSubscription(subscription_id=read_uuid(data.get("id_suscripcion") or data["id"]))


def _change_plan(data: Mapping[str, Any]) -> Command:
    return subscriptions.ChangePlan(subscription_id=read_uuid(data["id_suscripcion"]), plan=_plan(data))


def _cancel(data: Mapping[str, Any]) -> Command:
    return subscriptions.CancelSubscription(subscription_id=read_uuid(data["id_suscripcion"]), reason=data.get("motivo") or "")


def _pay(data: Mapping[str, Any]) -> Command:
    return subscriptions.PaySubscription(
        subscription_id=read_uuid(data["id_suscripcion"]),
        total=Money(cents=cents_of(data["valor"]), currency=data["moneda"]),
        method_name=data.get("medio_pago_nombre") or "",
        method_ending=ending_of(data.get("medio_pago_numero") or ""),
    )


def _provision(data: Mapping[str, Any]) -> Command:
    return services.ProvisionInfrastructure(
        subscription_id=read_uuid(data["id_suscripcion"]),
        customer_code=data["id_cliente"],
        plan_code=data.get("id_plan") or "",
    )


def _unprovision(data: Mapping[str, Any]) -> Command:
    return services.RemoveInfrastructure(subscription_id=read_uuid(data["id_suscripcion"]))


def _create_service(data: Mapping[str, Any]) -> Command:
    return services.CreateDataService(
        subscription_code=data.get("suscripcion_codigo") or "",
        customer_code=data["cliente_codigo"],
        plan=_plan(data),
        cloud=services.Cloud(
            code=data.get("nube_codigo") or "", name=data.get("nube_nombre") or "", type=data.get("nube_tipo") or ""
        ),
        dataset=services.Dataset(code=data.get("dataset_codigo") or "", name=data.get("dataset_nombre") or ""),
        expert_code=data.get("experto_codigo") or "",
        **_expert_of(data),
    )


def _assign(data: Mapping[str, Any]) -> Command:
    id, code = read_uuid(data["id_serviciodatos"]), data["experto_codigo"]
    return services.AssignExpert(data_service_id=id, code=code, **_expert_of(data))


def _expert_of(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "first_names": data.get("experto_nombres") or None,
        "last_names": data.get("experto_apellidos") or None,
        "username": data.get("experto_usuario") or None,
        "national_id": data.get("experto_cedula") or None,
        "email": data.get("experto_email") or None,
    }


def _start_service(data: Mapping[str, Any]) -> Command:
    return services.StartDataService(data_service_id=read_uuid(data["id_serviciodatos"]))


def _finish_service(data: Mapping[str, Any]) -> Command:
    return services.FinishDataService(data_service_id=read_uuid(data["id_serviciodatos"]), reason=data.get("motivo") or "")


def image_of(data: Mapping[str, Any]) -> AnonymiseImage:
    """Returns the command of an image's metadata, without its source, the patient's id and history, and the day."""
    return AnonymiseImage(
        image_id=data["id_imagen"],
        modality=data.get("modalidad") or UNKNOWN_MODALITY,
        pathology=data.get("patologia") or UNKNOWN_PATHOLOGY,
        anatomical_region=data.get("region_anatomica") or UNKNOWN_REGION,
        image_format=data.get("formato_imagen") or UNKNOWN_FORMAT,
        ingested_year=year_of(data["fecha_ingesta"]) if data.get("fecha_ingesta") else None,
    )


def _look_up(text: str) -> Command:
    return QueryImage(number_or_id=text)


def _receive(text: str) -> Command:
    return ReceiveEvent(text=text)


INCOMING = (
    IncomingTopic(
        "comandos-iniciar-suscripcion", subscriptions.StartSubscription, _start,
        _record("ComandoIniciarSuscripcion", _SUBSCRIPTIONS, *_CUSTOMER),
    ),
    IncomingTopic(
        "comandos-crear-suscripcion", subscriptions.CreateSubscription, _create,
        _record("ComandoCrearSuscripcion", _SUBSCRIPTIONS, *_CUSTOMER),
    ),
    IncomingTopic(
        "comandos-compensacion-crear-suscripcion", subscriptions.RemoveSubscription, _remove,
        _record("ComandoCompensacionCrearSuscripcion", _SUBSCRIPTIONS, "id", "id_suscripcion"),
    ),
    IncomingTopic(
        "comandos-cambiar-plan-suscripcion", subscriptions.ChangePlan, _change_plan,
        _record("ComandoCambiarPlanSuscripcion", _SUBSCRIPTIONS, "id_suscripcion", "plan_codigo", "plan_nombre"),
    ),
    IncomingTopic(
        "comandos-cancelar-suscripcion", subscriptions.CancelSubscription, _cancel,
        _record("ComandoCancelarSuscripcion", _SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    IncomingTopic(
        "comandos-pagar-suscripcion", subscriptions.PaySubscription, _pay,
        _record(
            "ComandoPagarSuscripcion", _SUBSCRIPTIONS,
            "id_suscripcion", "moneda", "medio_pago_nombre", "medio_pago_numero", valor="double",
        ),
        is_personal=True,
    ),
    IncomingTopic(
        "comandos-crear-infraestructura", services.ProvisionInfrastructure, _provision,
        _record("ComandoCrearInfraestructura", _SERVICES, "id_cliente", "id_plan", "id_suscripcion"),
    ),
    IncomingTopic(
        "comandos-compensacion-crear-infraestructura", services.RemoveInfrastructure, _unprovision,
        _record("ComandoCompensacionCrearInfraestructura", _SERVICES, "id_serviciodatos", "id_suscripcion"),
    ),
    IncomingTopic(
        "comandos-crear-servicio-datos", services.CreateDataService, _create_service,
        _record(
            "ComandoCrearServicioDatos", _SERVICES, *_CUSTOMER[:4], *_CUSTOMER[7:9], *_EXPERT,
            "nube_codigo", "nube_nombre", "nube_tipo", "dataset_codigo", "dataset_nombre", "suscripcion_codigo",
        ),
    ),
    IncomingTopic(
        "comandos-asignar-experto-servicio-datos", services.AssignExpert, _assign,
        _record("ComandoAsignarExperto", _SERVICES, "id_serviciodatos", *_EXPERT),
    ),
    IncomingTopic(
        "comandos-iniciar-servicio-datos", services.StartDataService, _start_service,
        _record("ComandoIniciarServicioDatos", _SERVICES, "id_serviciodatos"),
    ),
    IncomingTopic(
        "comandos-terminar-servicio-datos", services.FinishDataService, _finish_service,
        _record("ComandoTerminarServicioDatos", _SERVICES, "id_serviciodatos", "motivo"),
    ),
    IncomingTopic("anonimizacion", AnonymiseImage, image_of, is_personal=True),
    IncomingTopic("consulta_anonimizacion", QueryImage, _look_up, is_text=True),
    IncomingTopic("suscripciones-topic", ReceiveEvent, _receive, is_text=True),
)  # fmt: skip
