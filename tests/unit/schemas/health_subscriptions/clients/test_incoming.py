"""The subscriptions' incoming topics: the commands of other teams' records."""

from typing import Any

import pytest

from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.incoming import INCOMING
from schemas.health_subscriptions.imaging import AnonymiseImage, QueryImage
from schemas.health_subscriptions.notifications import ReceiveEvent
from schemas.health_subscriptions.parts import Money, Plan
from schemas.message import Command
from tests.unit.aggregates.health_subscriptions.subscribers import FIELDS, ID, PRO

TEXT = str(ID)
AVRO = {
    "cliente_codigo": "0001", "cliente_nombres": "Pablo", "cliente_apellidos": "Perez", "cliente_usuario": "pperez",
    "cliente_rut": "1234567890", "cliente_cedula": "987654321", "cliente_email": "pperez@example.org",
    "plan_codigo": "PRO", "plan_nombre": "PRO", "id_suscripcion": TEXT,
}  # fmt: skip


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
