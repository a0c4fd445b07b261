"""The subscriptions' topics: what is published of events, and the commands of other teams' records."""

from typing import Any
from uuid import UUID

import pytest

from aggregates.scenario import recorded
from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.topics import INCOMING, OUTGOING
from schemas.health_subscriptions.imaging import AnonymiseImage, ImageAnonymised, QueryImage
from schemas.health_subscriptions.notifications import NotificationFailed, NotificationSent, ReceiveEvent
from schemas.health_subscriptions.parts import Money, Plan
from schemas.message import Command, Event
from tests.unit.aggregates.health_subscriptions.subscribers import ACTIVE, FIELDS, FREE, ID, IDS, PRO
from tests.unit.aggregates.health_subscriptions.test_data_services import ASSIGNED, CREATED, FINISHED

TEXT = str(ID)
AVRO = {
    "cliente_codigo": "0001", "cliente_nombres": "Pablo", "cliente_apellidos": "Perez", "cliente_usuario": "pperez",
    "cliente_rut": "1234567890", "cliente_cedula": "987654321", "cliente_email": "pperez@example.org",
    "plan_codigo": "PRO", "plan_nombre": "PRO", "id_suscripcion": TEXT,
}  # fmt: skip
IMAGE = ImageAnonymised(
    image_id="i", modality="m", pathology="p", anatomical_region="r", image_format="f", patient_id=ID, ingested_year=2024
)


@pytest.mark.parametrize(
    ("topic", "event", "content"),
    [
        ("eventos-suscripcion-creada", ACTIVE, {"codigo_cliente": "0001", "codigo_plan": "PRO", "id_suscripcion": TEXT}),
        (
            "eventos-suscripcion-cancelada",
            subscriptions.SubscriptionCancelled(**IDS, reason="x"),
            {"id_suscripcion": TEXT, "motivo": "x"},
        ),
        (
            "eventos-suscripcion-plan-modificado",
            subscriptions.PlanChanged(**IDS, old=PRO, new=FREE),
            {"id_suscripcion": TEXT, "plan_anterior": "PRO", "plan_nuevo": "free"},
        ),
        ("suscripciones-topic", subscriptions.SubscriptionActivated(**IDS), "ProcesoFinalizado"),
        (
            "eventos-servicio-datos",
            CREATED,
            {
                "id_serviciodatos": str(CREATED.data_service_id),
                "codigo_suscripcion": TEXT,
                "codigo_nube": "local",
                "codigo_data_set": "",
            },
        ),
        (
            "eventos-experto-asignado",
            ASSIGNED,
            {"id_serviciodatos": str(ASSIGNED.data_service_id), "codigo_experto": "e1"},
        ),
        (
            "eventos-servicio-datos-terminado",
            FINISHED,
            {"id_serviciodatos": str(FINISHED.data_service_id), "motivo": "done"},
        ),
        ("eventos-anonimizacion", IMAGE, {"id": 1, "id_imagen": "i", "fecha_ingesta": 2024}),
        (
            "eventos-notificacion",
            NotificationSent(notification_id=ID, cause="c", attempt=1),
            {"id_notificacion": TEXT, "tipo": "Enviada", "causa": "c"},
        ),
        (
            "eventos-notificacion",
            NotificationFailed(notification_id=ID, cause="c", attempt=1, problem="x"),
            {"id_notificacion": TEXT, "tipo": "Error", "causa": "c"},
        ),
    ],
)
def test_what_is_published_has_the_members_of_its_record(topic: str, event: Event, content: Any) -> None:
    (outgoing,) = (one for one in OUTGOING if one.topic == topic and one.event is type(event))

    assert outgoing.content(recorded(event)) == content
    if outgoing.record is not None:
        assert content.keys() <= outgoing.record.fields.keys()


@pytest.mark.parametrize(
    ("topic", "given", "command"),
    [
        (
            "comandos-iniciar-suscripcion",
            AVRO,
            subscriptions.StartSubscription(subscription_id=ID, plan=PRO, **FIELDS),
        ),
        (
            "comandos-crear-suscripcion",
            {**AVRO, "id_suscripcion": None, "plan_nombre": None},
            subscriptions.CreateSubscription(plan=Plan(code="PRO"), **FIELDS),
        ),
        (
            "comandos-compensacion-crear-suscripcion",
            {"id": TEXT, "id_suscripcion": None},
            subscriptions.RemoveSubscription(subscription_id=ID),
        ),
        (
            "comandos-pagar-suscripcion",
            {
                "id_suscripcion": TEXT,
                "moneda": "COP",
                "valor": 10.5,
                "medio_pago_nombre": "VISA",
                "medio_pago_numero": "41111234",
            },
            subscriptions.PaySubscription(
                subscription_id=ID, total=Money(cents=1050, currency="COP"), method_name="VISA", method_ending="1234"
            ),
        ),
        (
            "comandos-crear-infraestructura",
            {"id_cliente": "0001", "id_plan": "pro", "id_suscripcion": TEXT},
            services.ProvisionInfrastructure(subscription_id=ID, customer_code="0001", plan_code="pro"),
        ),
        (
            "comandos-asignar-experto-servicio-datos",
            {"id_serviciodatos": TEXT, "experto_codigo": "e1", "experto_email": ""},
            services.AssignExpert(data_service_id=ID, code="e1"),
        ),
        (
            "anonimizacion",
            {"id_imagen": "i", "fecha_ingesta": "2024-01-01 00:00:00", "id_paciente": "p1", "timestamp": "ff"},
            AnonymiseImage(
                image_id="i",
                modality="Desconocida",
                pathology="Desconocido",
                anatomical_region="No especificada",
                image_format="Desconocido",
                ingested_year=2024,
            ),
        ),
        ("consulta_anonimizacion", "7", QueryImage(number_or_id="7")),
        ("suscripciones-topic", "hola", ReceiveEvent(text="hola")),
    ],
)
def test_a_record_of_another_team_makes_its_command(topic: str, given: Any, command: Command) -> None:
    (incoming,) = (one for one in INCOMING if one.topic == topic)

    made = incoming.make(given)

    assert made == command
    assert type(made) is incoming.command
    if incoming.record is not None:
        assert set(given) <= incoming.record.fields.keys()


def test_nothing_that_is_encrypted_is_published() -> None:
    names = {"first_names", "last_names", "username", "tax_id", "national_id", "email"}

    published = [one.content(recorded(event)) for event in (ACTIVE, ASSIGNED) for one in OUTGOING if one.event is type(event)]

    assert not [text for text in ("Pablo", "pperez", "Eva") if text in str(published)]
    assert names <= set(FIELDS)
    assert isinstance(ID, UUID)
