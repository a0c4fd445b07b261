"""The page of the flight reservations: every socket gets every outcome, also through a break and through a dead broker."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from playwright.async_api import Page
from websockets.asyncio.client import ClientConnection, connect

from tests.browser import chromium
from tests.conftest import eventually
from tests.stack import RunningStack, running_stack

ARRIVAL_SECONDS = 1
WITHIN_SECONDS, TIMES = 2.0, 3
"""Seconds until a reservation is shown, the fewest of some times: other tests may have the cores at one of them."""
ENVIRONMENT = {
    "CAUDAL_SYSTEMS": "flight_reservations",
    "CAUDAL_MAX_REQUEST_ARRIVAL_SECONDS": str(ARRIVAL_SECONDS),
}


@pytest.fixture(scope="module")
async def flights() -> AsyncIterator[RunningStack]:
    async with running_stack(environment=ENVIRONMENT) as stack:
        yield stack


def page_of(stack: RunningStack) -> str:
    return str(stack.endpoints["pages"]["flight_reservations"])


def body(destination: str) -> dict[str, Any]:
    leg = {
        "fecha_salida": "2026-12-01T13:10:00Z",
        "fecha_llegada": "2026-12-01T15:10:00Z",
        "origen": {"codigo": "BOG", "nombre": "El Dorado"},
        "destino": {"codigo": destination, "nombre": destination},
    }
    return {"itinerarios": [{"odos": [{"segmentos": [{"legs": [leg]}]}]}]}


async def requested(stack: RunningStack, destination: str = "JFK") -> str:
    """Sends a request until it is accepted, under one key; returns its id."""
    headers, found = {"Idempotency-Key": uuid4().hex}, ""

    async def accepted() -> bool:
        nonlocal found
        try:
            path = f"{page_of(stack)}/vuelos/reserva-comando"
            answer = await stack.commands.post(path, json=body(destination), headers=headers)
        except httpx.HTTPError:
            return False
        found = answer.headers.get("Command-Id", "")
        return answer.status_code == 202

    await eventually(accepted, 60, "a request that is accepted")
    return found


async def frame_of(socket: ClientConnection, id: str) -> dict[str, Any]:
    """Returns the frame about a request."""
    async with asyncio.timeout(60):
        while True:
            frame = orjson.loads(await socket.recv())
            if id in frame["data"].values():
                return dict(frame)


async def test_programs_get_the_frames_of_the_seed_and_resume(flights: RunningStack) -> None:
    address = page_of(flights).replace("http", "ws")
    async with connect(f"{address}/any/path") as one, connect(address) as two:
        await asyncio.sleep(2 * ARRIVAL_SECONDS)  # a socket has no time limit
        made = await requested(flights)
        found = await frame_of(one, made)
        assert await frame_of(two, made) == found
        key = {"id": found["id"], "time": found["time"], "ingestion": found["time"], "specversion": "v1"}
        kind = {"type": "EventoReservaCreada", "datacontenttype": "AVRO", "service_name": "aeroalpes"}
        created = found["data"]["fecha_creacion"]
        data = {"id_reserva": made, "id_cliente": None, "estado": "PENDIENTE", "fecha_creacion": created}
        assert found == {**key, **kind, "data": data} and abs(created - time.time() * 1000) < 60_000

        approved = await flights.commands.post(f"/vuelos/reserva/{made}/aprobar")
        assert approved.status_code == 200, approved.text
        frame = await frame_of(one, made)
        assert (frame["type"], frame["data"]["estado"]) == ("EventoReservaAprobada", "APROBADA")

        rejected = await requested(flights, "BOG")
        rejection = await frame_of(one, rejected)
        assert rejection["type"] == "ReservaRechazada"
        assert rejection["data"] == {"id_solicitud": rejected, "error": "La ruta propuesta es incorrecta"}

    missed = await requested(flights)
    async with connect(f"{address}/?after={rejection['id']}") as again:
        assert (await frame_of(again, missed))["data"]["id_reserva"] == missed

    flights.kill("ui")
    missed_by_all = await requested(flights)
    async with connect(f"{address}/?after={rejection['id']}") as again:
        assert await frame_of(again, missed) and await frame_of(again, missed_by_all)


async def reserve(page: Page, destination: str) -> None:
    """Makes a reservation by the keyboard alone."""
    await page.focus("[name=destino]")
    await page.keyboard.press("Control+A")
    await page.keyboard.type(destination)
    await page.keyboard.press("Enter")


async def test_people_reserve_and_see_how_it_ends(flights: RunningStack) -> None:
    errors: list[str] = []
    await asyncio.sleep(2)  # else frames of the test before would count as new after a break
    async with chromium() as browser, AsyncExitStack() as tabs:
        one, two = [await tabs.enter_async_context(await browser.new_page()) for _ in range(2)]
        for tab in (one, two):
            tab.on("pageerror", lambda error: errors.append(str(error)))
            await tab.goto(page_of(flights))
            await tab.wait_for_selector("#conexion[data-estado=conectada]")

        seconds = []
        for n in range(1, TIMES + 1):
            began = time.monotonic()
            await reserve(one, "jfk")
            await one.wait_for_selector(f"#mensajes li.propia:nth-child({n})")
            seconds.append(time.monotonic() - began)
        assert min(seconds) < WITHIN_SECONDS, seconds
        await two.wait_for_selector("#mensajes li:not(.propia)")
        assert "pendiente de aprobación" in await one.inner_text("#mensajes li")

        await reserve(one, "bog")
        await one.wait_for_selector("#mensajes li.rechazo")
        assert "La ruta propuesta es incorrecta" in await one.inner_text("#mensajes li.rechazo")
        await reserve(one, "j")
        await one.wait_for_selector("#error:not([hidden])")
        assert await one.inner_text("#error") == "Destino: debe ser un código IATA u OACI"

        flights.kill("broker")
        flights.kill("ui")
        await one.wait_for_selector("#conexion[data-estado=perdida]", timeout=10_000)
        missed = [await requested(flights) for _ in range(3)]
        for tab in (one, two):
            for id in missed:
                await tab.wait_for_selector(f'#mensajes li[data-id="{id}"]', timeout=60_000)
            records = "items => items.map(item => JSON.parse(item.textContent).id)"
            shown = await tab.eval_on_selector_all("#mensajes li code", records)
            assert len(shown) == len(set(shown)) == TIMES + 1 + len(missed)
    assert errors == []


async def test_the_page_fits_a_phone_and_names_every_field(flights: RunningStack) -> None:
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        await page.goto(page_of(flights))
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await page.evaluate("document.documentElement.lang") == "es"
        unnamed = "inputs => inputs.filter(input => input.labels.length === 0).map(input => input.name)"
        assert await page.eval_on_selector_all("input", unnamed) == []
        reached = []
        for _ in range(30):  # a date has several places
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))
        assert {"origen", "destino", "salida", "llegada", "Reservar", "Código de acceso"} <= set(reached)
