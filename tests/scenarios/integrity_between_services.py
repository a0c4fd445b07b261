"""Integrity between services: sagas of subscriptions with simulated failures, while each process is killed once."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import httpx

from schemas.health_subscriptions.parts import data_service_id_of
from schemas.system import ContextName
from streams.log.stored_events import StoredEvent
from tests.conftest import eventually
from tests.plain_text import files_with, records_with
from tests.stack import RunningStack, running_stack
from tests.verify import verify

FAILURES = 0.25
KILLED = ("worker", "relay", "projectors", "broker")
SECRETS = {
    "cliente_nombres": "Gregoria-plaintexto", "cliente_apellidos": "Apellido-plaintexto", "cliente_usuario": "gplaintexto",
    "cliente_rut": "rut-plaintexto", "cliente_cedula": "cedula-plaintexto", "cliente_email": "gregoria@plaintexto.example",
}  # fmt: skip
CUSTOMER = {**SECRETS, "plan_codigo": "pro", "plan_nombre": "PRO"}
SYSTEM = "health_subscriptions"
LOGS = {
    "completed": {"Inicio Saga, Inicio T1, Fin Exitoso T1, Inicio T2, Fin Exitoso T2, Fin Saga"},
    "failed": {
        "Inicio Saga, Inicio T1, Fin Fallido T1, Compensacion T1, Fin Saga",
        "Inicio Saga, Inicio T1, Fin Exitoso T1, Inicio T2, Fin Fallido T2, Compensacion T2, Compensacion T1, Fin Saga",
    },
}
Logs = Mapping[ContextName, Sequence[StoredEvent]]


async def end_sagas(sagas: int, side_by_side: int) -> Counter[str]:
    """Starts sagas, some of them at a time, and returns how many ended as completed and as failed.

    Fails unless all end, consistently on both sides, each with one notification, and nothing of a customer is in the clear.
    """
    environment = {"CAUDAL_SYSTEMS": SYSTEM, "CAUDAL_DEMO_FAILURES": str(FAILURES)}
    async with running_stack(environment=environment) as stack:
        ids = await started(stack, sagas, side_by_side)
        ended = await all_ended(stack, ids)
        await nothing_is_in_progress(stack)
        logs = await verify(stack)
        folders = {path.name for path in (stack.data_dir / "files" / "datasets").iterdir() if any(path.iterdir())}
        for id in ids:
            await is_consistent(stack, id, ended[id], folders)
        await stack.fetch("checkpoint")
        assert list(files_with(stack.data_dir, SECRETS.values())) == []
        kinds = [f"{SYSTEM}.{name}".encode() for name in ("SubscriptionRequested", "start-subscription")]
        assert await records_with(stack, SECRETS.values(), kinds) == []
    each_is_notified_once(logs, ids)
    return Counter(ended.values())


async def started(stack: RunningStack, sagas: int, side_by_side: int) -> list[UUID]:
    """Starts the sagas, some side by side, and kills each process once meanwhile."""
    ids, turns = [uuid4() for _ in range(sagas)], asyncio.Semaphore(side_by_side)
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"][f"{SYSTEM}.bff"], timeout=30) as client:

        async def start(id: UUID) -> None:
            body = {**CUSTOMER, "cliente_codigo": f"c-{id}", "id_suscripcion": str(id)}

            async def is_accepted() -> bool:
                with suppress(httpx.HTTPError):
                    answer = await client.post("/sagas/iniciar-suscripcion-comando", json=body)
                    return answer.status_code == 202
                return False

            async with turns:
                await asyncio.sleep(random.random())
                await eventually(is_accepted, 90, "the acceptance")

        async def kill() -> None:
            for name in KILLED:
                await asyncio.sleep(2)
                stack.kill(name)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(kill())
            for id in ids:
                tasks.create_task(start(id))
    return ids


async def all_ended(stack: RunningStack, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The status of each subscription's saga, once all have ended."""
    found: dict[UUID, str] = {}

    async def ended() -> bool:
        with suppress(httpx.HTTPError):
            wanted = {"saga": f"{SYSTEM}.subscription", "limit": "1000"}
            rows = (await stack.queries.get("/sagas", params=wanted, headers=stack.token("operator"))).json()
            found.clear()
            found.update({UUID(row["key"]): row["status"] for row in rows})
        return found.keys() == set(ids) and set(found.values()) <= {"completed", "failed"}

    await eventually(ended, 110, "the end of every saga")
    return found


async def nothing_is_in_progress(stack: RunningStack) -> None:
    async def is_healthy() -> bool:
        code, _, _ = await stack.caudal("status")
        return code == 0

    await eventually(is_healthy, 60, "a healthy stack")


async def is_consistent(stack: RunningStack, id: UUID, status: str, folders: set[str]) -> None:
    """Fails unless the subscription, its data service and its folder are all there, or none of them is."""
    service = str(data_service_id_of(id))
    paths = (f"/suscripciones/suscripcion-query/{id}", f"/serviciodatos/serviciodatos-query/{service}")
    answers = [await stack.queries.get(path, headers=stack.token("subscriptions_manager")) for path in paths]
    if status == "completed":
        states: list[Any] = [answer.json().get("estado") for answer in answers]
        assert (states, service in folders) == (["Activo", "Creado"], True), id
    else:
        assert ([answer.status_code for answer in answers], service in folders) == ([404, 404], False), id
    steps = (await stack.queries.get(f"/sagas/bitacora/{id}", headers=stack.token("operator"))).json()
    assert ", ".join(step["descripcion"] for step in steps) in LOGS[status], id


def each_is_notified_once(logs: Logs, ids: Sequence[UUID]) -> None:
    """Fails unless there is one notification for the end of each saga, and none was taken for another system's event."""
    rows = logs[ContextName(SYSTEM, "notifications")]
    causes = [json.loads(row.data)["cause"] for row in rows if row.type == "NotificationRequested"]
    assert sorted(causes) == sorted(f"subscription-{id}" for id in ids)
    assert "EventReceived" not in {row.type for row in rows}, "its own texts on suscripciones-topic are no events of others"
