"""The unit of work: a reservation and the entry in its customer's list are both recorded or neither, whichever process dies."""

import asyncio
from collections import defaultdict
from typing import Any
from uuid import uuid4

import orjson
import pytest

from schemas.system import ContextName
from tests.kills import killing, surely
from tests.stack import RunningStack, running_stack
from tests.verify import verify

REQUESTS, AT_ONCE = 40, 4
LOG = ContextName("flight_reservations", "reservations")
LEG = {
    "fecha_salida": "2026-12-01T13:10:00Z",
    "fecha_llegada": "2026-12-01T15:10:00Z",
    "origen": {"codigo": "BOG", "nombre": "El Dorado"},
    "destino": {"codigo": "JFK", "nombre": "John F. Kennedy"},
}


@pytest.mark.timeout(300)
async def test_a_reservation_and_its_customers_list_are_one_unit() -> None:
    async with running_stack(environment={"CAUDAL_SYSTEMS": "flight_reservations"}) as stack:
        customers = [str(uuid4()) for _ in range(3)]  # of each, requests come at once: they write the same list
        async with killing(stack, ("command-api", "postgres", "worker", "relay")):
            await asyncio.gather(*(_reserve(stack, customers[n % len(customers)]) for n in range(AT_ONCE)))
        logs = await verify(stack)

    units: dict[str, list[Any]] = defaultdict(list)
    for row in logs[LOG]:
        units[orjson.loads(row.metadata)["command_id"]].append(row)
    assert len(units) == REQUESTS
    for rows in units.values():
        assert [row.type for row in rows] == ["ReservationCreated", "ReservationLinked"]
        assert rows[1].position == rows[0].position + 1


async def _reserve(stack: RunningStack, customer: str) -> None:
    body = {"itinerarios": [{"odos": [{"segmentos": [{"legs": [LEG]}]}]}], "id_cliente": customer}
    for _ in range(REQUESTS // AT_ONCE):
        await surely(stack, "/vuelos/reserva", body)
        await asyncio.sleep(0.3)
