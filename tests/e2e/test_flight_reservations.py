"""Flight reservations end to end: the calls of their clients on the whole stack, and commands and events of other teams."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import eventually
from tests.stack import RunningStack

LEG = {
    "fecha_salida": "2022-11-22T13:10:00Z",
    "fecha_llegada": "2022-11-22T15:10:00Z",
    "destino": {"codigo": "JFK", "nombre": "John F. Kennedy"},
    "origen": {"codigo": "BOG", "nombre": "El Dorado"},
}
BACK = {**LEG, "origen": LEG["destino"], "destino": LEG["origen"]}


def body(*legs: Any, **more: Any) -> dict[str, Any]:
    return {"itinerarios": [{"odos": [{"segmentos": [{"legs": [leg]}]} for leg in legs]}], **more}


@pytest.fixture
async def client(stack: RunningStack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["flight_reservations"], timeout=30) as client:
        yield client


async def shown(client: httpx.AsyncClient, path: str, **expected: Any) -> dict[str, Any]:
    """Returns the answer of a path once it is as expected."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        answer = await client.get(path)
        found.clear()
        found.update(answer.json())
        return answer.status_code == 200 and expected.items() <= found.items()

    await eventually(there, 30, f"{expected} at {path}")
    return found


async def test_a_reservation_is_made_approved_paid_and_found(client: httpx.AsyncClient) -> None:
    answer = await client.post("/vuelos/reserva", json=body(LEG, BACK))

    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["estado"], made["tipo_vuelo"]) == ("Pendiente", ["Ida y vuelta"])
    first = made["itinerarios"][0]["odos"][0]["segmentos"][0]["legs"][0]
    assert (first["fecha_salida"], first["origen"]["codigo"]) == ("2022-11-22T13:10:00Z", "BOG")
    for path in (f"/vuelos/reserva/{made['id']}", f"/vuelos/reserva-query/{made['id']}"):
        assert (await shown(client, path, id=made["id"]))["itinerarios"] == made["itinerarios"]
    path = f"/vuelos/reserva/{made['id']}"
    assert (await client.post(f"{path}/pagar")).json() == {"error": "La reserva está pendiente"}
    for word, status in (("aprobar", "Aprobada"), ("pagar", "Pagada")):
        assert (await client.post(f"{path}/{word}")).json() == {"estado": status}
    await shown(client, path, estado="Pagada")
    for given in (None, {}, {"motivo": "enfermo"}):
        cancelled = await client.post(f"{path}/cancelar", json=given)
        assert (cancelled.status_code, cancelled.json()) == (400, {"error": "La reserva está pagada"})
    paid = [one["id"] for one in (await client.get("/vuelos/reserva", params={"estado": "Pagada"})).json()]
    assert made["id"] in paid
    assert made["id"] not in [one["id"] for one in (await client.get("/vuelos/reserva?no_pagadas=true")).json()]


@pytest.mark.parametrize(
    ("path", "given", "error"),
    [
        ("/vuelos/reserva", {"itinerarios": []}, "La lista de itinerarios debe tener al menos un itinerario"),
        ("/vuelos/reserva", body({**LEG, "destino": LEG["origen"]}), "La ruta propuesta es incorrecta"),
        ("/vuelos/reserva", body(LEG, pasajeros=[{"tipo": "Menor"}]), "Al menos un adulto debe ser parte del itinerario"),
        ("/vuelos/reserva", body({**LEG, "fecha_llegada": "2022-11-22T13:09:59Z"}), "La fecha de llegada es anterior"),
        ("/vuelos/reserva", body({**LEG, "fecha_salida": "2022-11-22"}), "debe tener la forma AAAA-MM-DDTHH:MM:SSZ"),
        ("/vuelos/reserva", body({**LEG, "origen": {"codigo": "Bogota"}}), "/origen/codigo debe ser un código IATA u OACI"),
        ("/vuelos/reserva", body(LEG, id_cliente="7"), "/id_cliente debe ser un UUID"),
        (
            "/vuelos/reserva",
            body(*[LEG] * 20, pasajeros=[]) | {"itinerarios": body(*[LEG] * 20)["itinerarios"] * 6},
            "debe tener como máximo 100 vuelos",
        ),
        ("/vuelos/reserva-comando", {"itinerarios": 7}, "/itinerarios debe ser una lista"),
        ("/cliente/usuario", {"nombres": "Eva", "email": "nadie"}, "/email no es un email"),
    ],
)
async def test_what_is_wrong_is_said_in_spanish(client: httpx.AsyncClient, path: str, given: Any, error: str) -> None:
    answer = await client.post(path, json=given)

    assert answer.status_code == 400
    assert error in answer.json()["error"]
    assert (await client.get(f"/vuelos/reserva/{uuid4()}")).json() == {"error": "No existe la reserva"}


@pytest.mark.parametrize("path", ["/vuelos/reserva-comando", "/vuelos/reserva-commando"])
async def test_a_request_is_accepted_and_ends_as_a_reservation_or_as_a_rejection(client: httpx.AsyncClient, path: str) -> None:
    bodies: list[dict[str, Any]] = [body(LEG), {"itinerarios": []}]
    good, bad = [await client.post(path, json=given) for given in bodies]

    assert [(one.status_code, one.json()) for one in (good, bad)] == [(202, {})] * 2
    await shown(client, good.headers["location"], estado="Pendiente", tipo_vuelo=["Solo ida"])
    rejected = await shown(client, bad.headers["location"], estado="Rechazada")
    assert rejected["motivo"] == "La lista de itinerarios debe tener al menos un itinerario"


async def test_a_customer_is_mailed_about_reservations_and_seen_by_nobody_else(
    client: httpx.AsyncClient, stack: RunningStack
) -> None:
    email = f"{uuid4().hex}@example.org"
    answer = await client.post("/cliente/usuario", json={"nombres": "Eva", "email": email, "cedula": 123, "ciudad": "Bogotá"})
    assert (answer.status_code, answer.json()) == (202, {})
    location = answer.headers["location"]
    assert (await client.get(location)).status_code in (401, 403, 404)
    client.headers.update(stack.token("customers_manager"))
    customer = await shown(client, location, estado="activo")
    assert (customer["email"], customer["cedula"], customer["tipo"]) == (email, "123", "natural")

    reservation = (await client.post("/vuelos/reserva", json=body(LEG, id_cliente=customer["id"]))).json()

    async def mailed() -> bool:
        return email in (await stack.caudal("mail"))[1]

    await eventually(mailed, 30, "the mail")
    rows = await stack.fetch(
        "select stream, type from flight_reservations__reservations.events where metadata->>'command_id' = $1",
        reservation["id"],
    )
    assert {(row["stream"], row["type"]) for row in rows} == {
        (f"reservation-{reservation['id']}", "ReservationCreated"),
        (f"customerreservations-{customer['id']}", "ReservationLinked"),
    }
    (found,) = await stack.fetch(
        "select count(*) as n from flight_reservations__customers.events where data::text like $1", f"%{email}%"
    )
    assert found["n"] == 0
    assert (await client.post(f"{location}/desactivar")).json() == {"estado": "desactivado"}
    await shown(client, location, estado="desactivado")


async def test_each_request_at_once_is_its_own_reservation(client: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(client.post("/vuelos/reserva", json=body(LEG)) for _ in range(16)))

    assert len({one.json()["id"] for one in made}) == 16
