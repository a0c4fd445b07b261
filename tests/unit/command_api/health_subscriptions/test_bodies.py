"""The bodies of the subscriptions' clients: flat or nested, numbers as texts, and nothing that must not be kept."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from command_api.health_subscriptions import bodies
from schemas.health_subscriptions.data_services import AssignExpert, CreateDataService
from schemas.health_subscriptions.imaging import AnonymiseImage, FetchImage
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
IMAGE = {
    "id_imagen": "46769a88-181f-4468-8i34", "modalidad": "Rayos X", "patologia": "Neumonia", "region_anatomica": "Craneo",
    "formato_imagen": "DICOM", "fuente_de_datos": "Hospital", "antecedentes": "fumador", "id_paciente": "p1",
    "fecha_ingesta": "2024-02-29 10:00:00",
}  # fmt: skip


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


def test_nothing_of_the_patient_is_in_the_command_of_an_image() -> None:
    command = bodies.anonymise(bodies.ImagenCompleta.model_validate(IMAGE), {})

    assert isinstance(command, AnonymiseImage)
    assert (command.image_id, command.ingested_year) == (IMAGE["id_imagen"], 2024)
    assert not [text for text in ("Hospital", "fumador", "p1", "02-29") if text in command.model_dump_json()]


def test_an_image_of_which_only_the_id_is_known_has_defaults() -> None:
    command = bodies.anonymise(bodies.Imagen.model_validate({"id_imagen": "x"}), {})

    assert command == AnonymiseImage(
        image_id="x",
        modality="Desconocida",
        pathology="Desconocido",
        anatomical_region="No especificada",
        image_format="Desconocido",
    )
    with pytest.raises(ValidationError):
        bodies.ImagenCompleta.model_validate({"id_imagen": "x"})


@pytest.mark.parametrize("member", ["modalidad", "patologia", "region_anatomica", "formato_imagen"])
def test_an_empty_text_of_an_image_is_one_that_is_missing(member: str) -> None:
    lacking = {name: value for name, value in IMAGE.items() if name != member}

    assert bodies.anonymise(bodies.Imagen.model_validate({**IMAGE, member: ""}), {}) == bodies.anonymise(
        bodies.Imagen.model_validate(lacking), {}
    )


def test_an_image_with_a_url_is_fetched() -> None:
    url = "https://pacs.example.org/1.dcm"

    command = bodies.process(bodies.ImagenEnviada.model_validate({**IMAGE, "formato_imagen": "X", "url_imagen": url}), {})

    assert isinstance(command, FetchImage)
    assert (command.url, command.image_format, command.modality) == (url, "DICOM", "Rayos X")
    without = bodies.process(bodies.ImagenEnviada.model_validate(IMAGE), {})
    assert without == bodies.anonymise(bodies.Imagen.model_validate(IMAGE), {})


@pytest.mark.parametrize("fecha", ["2024-13-01 00:00:00", "2024-01-01", "hoy", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z"])
def test_the_time_at_which_an_image_came_has_one_form(fecha: str) -> None:
    with pytest.raises(ValidationError, match="AAAA-MM-DD"):
        bodies.Imagen.model_validate({**IMAGE, "fecha_ingesta": fecha})


def test_a_data_service_has_its_expert_and_the_code_of_its_customer() -> None:
    expert = {
        "codigo": "e1",
        "nombre": {"nombres": "Eva", "apellidos": "Gil"},
        "usuario": "egil",
        "cedula": {"numero": 5},
        "email": "e@x.org",
    }
    body = {
        "suscripcion": {"codigo": 12, "cliente": {"codigo": "0001", "nombre": {}}, "plan": {"codigo": "pro"}},
        "experto": expert,
        "nube": {"codigo": "aws"},
        "dataset": {"codigo": "d"},
        "id": 123,
    }

    command = bodies.create_data_service(bodies.NuevoServicio.model_validate(body), {})

    assert isinstance(command, CreateDataService)
    assert (command.subscription_code, command.customer_code, command.external_id) == ("12", "0001", "123")
    assert (command.expert_code, command.first_names, command.national_id) == ("e1", "Eva", "5")
    nameless = bodies.create_data_service(
        bodies.NuevoServicio.model_validate({**body, "experto": {**expert, "codigo": ""}}), {}
    )
    assert isinstance(nameless, CreateDataService)
    assert (nameless.expert_code, nameless.first_names) == ("", None)
    with pytest.raises(ValidationError, match="an expert has a code"):
        CreateDataService(customer_code="0001", first_names="Eva")
    assign = bodies.assign_expert(bodies.Asignacion.model_validate({"id_serviciodatos": str(ID), "experto": expert}), {})
    assert isinstance(assign, AssignExpert)
    assert (assign.data_service_id, assign.code, assign.email) == (ID, "e1", "e@x.org")
