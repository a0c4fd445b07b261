"""The bodies about subscriptions: flat or nested, numbers as texts."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from command_api.health_subscriptions.bodies import subscriptions as bodies
from schemas.health_subscriptions.parts import Money, Plan
from schemas.health_subscriptions.subscriptions import CreateSubscription, PaySubscription, StartSubscription

ID = UUID(int=7)
FLAT = {
    "cliente_codigo": "0001", "cliente_nombres": "Pablo", "cliente_apellidos": "Perez", "cliente_usuario": "pperez",
    "cliente_rut": "1234567890", "cliente_cedula": "987654321", "cliente_email": "pperez@domain.com",
    "plan_codigo": "pro", "plan_nombre": "PRO",
}  # fmt: skip
NESTED: dict[str, Any] = {
    "cliente": {
        "codigo": "0001",
        "nombre": {"nombres": "Pablo", "apellidos": "Perez"},
        "usuario": "pperez",
        "rut": {"numero": 1234567890},
        "cedula": {"numero": 987654321},
        "email": "pperez@domain.com",
    },
    "plan": {"codigo": "pro", "nombre": "PRO"},
    "facturas": [],
}


def test_the_flat_and_the_nested_form_make_one_command() -> None:
    flat, nested = bodies.NuevaSuscripcion.model_validate(FLAT), bodies.NuevaSuscripcion.model_validate(NESTED)

    assert flat == nested
    created = bodies.create_subscription(nested, {})
    assert isinstance(created, CreateSubscription)
    assert (created.tax_id, created.plan, created.subscription_id) == ("1234567890", Plan(code="pro", name="PRO"), None)
    started = bodies.start_subscription(bodies.NuevaSuscripcion.model_validate({**FLAT, "id_suscripcion": str(ID)}), {})
    assert isinstance(started, StartSubscription)
    assert started.subscription_id == ID


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**FLAT, "cliente_email": "nadie"},
        {**FLAT, "color": "rojo"},
        {**FLAT, "cliente_nombres": ""},
        {"cliente": 7, "plan": {}},
        {**NESTED, "cliente": {**NESTED["cliente"], "rut": {"numero": True}}},
    ],
)
def test_a_subscription_that_lacks_something_is_none(body: Any) -> None:
    with pytest.raises(ValidationError):
        bodies.NuevaSuscripcion.model_validate(body)


def test_of_the_number_of_a_card_only_its_ending_is_left() -> None:
    body = {
        "id_suscripcion": str(ID),
        "valor": {"moneda": "COP", "valor": 1000.5},
        "medio_pago": {"nombre": "VISA", "numero": "4111 1111 1111 1234"},
    }

    command = bodies.pay(bodies.Pago.model_validate(body), {})

    assert command == PaySubscription(
        subscription_id=ID, total=Money(cents=100_050, currency="COP"), method_name="VISA", method_ending="1234"
    )
    assert "4111" not in command.model_dump_json()
