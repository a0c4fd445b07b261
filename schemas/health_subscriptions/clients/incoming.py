"""The topics on which other teams send the subscriptions commands. Of an image nothing of its patient is read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.images import described
from schemas.health_subscriptions.clients.records import SERVICES, SUBSCRIPTIONS, record
from schemas.health_subscriptions.clients.spanish import ending_of
from schemas.health_subscriptions.imaging import AnonymiseImage, QueryImage
from schemas.health_subscriptions.notifications import ReceiveEvent
from schemas.health_subscriptions.parts import Money, Plan
from schemas.integration import IncomingTopic
from schemas.message import Command
from schemas.values.literals import read_uuid
from schemas.values.money import cents_of

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
    modalidad, patologia, region, formato = (
        data.get(name) or "" for name in ("modalidad", "patologia", "region_anatomica", "formato_imagen")
    )
    return described(data["id_imagen"], modalidad, patologia, region, formato, data.get("fecha_ingesta"))


def _look_up(text: str) -> Command:
    return QueryImage(number_or_id=text)


def _receive(text: str) -> Command:
    return ReceiveEvent(text=text)


INCOMING = (
    IncomingTopic(
        "comandos-iniciar-suscripcion", subscriptions.StartSubscription, _start,
        record("ComandoIniciarSuscripcion", SUBSCRIPTIONS, *_CUSTOMER),
    ),
    IncomingTopic(
        "comandos-crear-suscripcion", subscriptions.CreateSubscription, _create,
        record("ComandoCrearSuscripcion", SUBSCRIPTIONS, *_CUSTOMER),
    ),
    IncomingTopic(
        "comandos-compensacion-crear-suscripcion", subscriptions.RemoveSubscription, _remove,
        record("ComandoCompensacionCrearSuscripcion", SUBSCRIPTIONS, "id", "id_suscripcion"),
    ),
    IncomingTopic(
        "comandos-cambiar-plan-suscripcion", subscriptions.ChangePlan, _change_plan,
        record("ComandoCambiarPlanSuscripcion", SUBSCRIPTIONS, "id_suscripcion", "plan_codigo", "plan_nombre"),
    ),
    IncomingTopic(
        "comandos-cancelar-suscripcion", subscriptions.CancelSubscription, _cancel,
        record("ComandoCancelarSuscripcion", SUBSCRIPTIONS, "id_suscripcion", "motivo"),
    ),
    IncomingTopic(
        "comandos-pagar-suscripcion", subscriptions.PaySubscription, _pay,
        record(
            "ComandoPagarSuscripcion", SUBSCRIPTIONS,
            "id_suscripcion", "moneda", "medio_pago_nombre", "medio_pago_numero", valor="double",
        ),
        is_personal=True,
    ),
    IncomingTopic(
        "comandos-crear-infraestructura", services.ProvisionInfrastructure, _provision,
        record("ComandoCrearInfraestructura", SERVICES, "id_cliente", "id_plan", "id_suscripcion"),
    ),
    IncomingTopic(
        "comandos-compensacion-crear-infraestructura", services.RemoveInfrastructure, _unprovision,
        record("ComandoCompensacionCrearInfraestructura", SERVICES, "id_serviciodatos", "id_suscripcion"),
    ),
    IncomingTopic(
        "comandos-crear-servicio-datos", services.CreateDataService, _create_service,
        record(
            "ComandoCrearServicioDatos", SERVICES, *_CUSTOMER[:4], *_CUSTOMER[7:9], *_EXPERT,
            "nube_codigo", "nube_nombre", "nube_tipo", "dataset_codigo", "dataset_nombre", "suscripcion_codigo",
        ),
    ),
    IncomingTopic(
        "comandos-asignar-experto-servicio-datos", services.AssignExpert, _assign,
        record("ComandoAsignarExperto", SERVICES, "id_serviciodatos", *_EXPERT),
    ),
    IncomingTopic(
        "comandos-iniciar-servicio-datos", services.StartDataService, _start_service,
        record("ComandoIniciarServicioDatos", SERVICES, "id_serviciodatos"),
    ),
    IncomingTopic(
        "comandos-terminar-servicio-datos", services.FinishDataService, _finish_service,
        record("ComandoTerminarServicioDatos", SERVICES, "id_serviciodatos", "motivo"),
    ),
    IncomingTopic("anonimizacion", AnonymiseImage, image_of, is_personal=True),
    IncomingTopic("consulta_anonimizacion", QueryImage, _look_up, is_text=True),
    IncomingTopic("suscripciones-topic", ReceiveEvent, _receive, is_text=True),
)  # fmt: skip
