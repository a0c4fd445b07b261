"""Each path of each saga while the parts of the stack are killed one after another: every saga ends as it should, once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest

from schemas.clinical_lab.notifications import NotificationSent
from schemas.clinical_lab.users import user_id_of
from schemas.engine.sagas import SagaAdvanced
from schemas.system import ContextName
from tests.chaos.stack import PROCESSES
from tests.conftest import eventually
from tests.frozen import freeze, unfreeze
from tests.kills import LONG, killing, surely
from tests.partners import partner
from tests.stack import RunningStack, running_stack
from tests.verify import verify


async def saga(stack: RunningStack, wanted: Mapping[str, str], state: str) -> dict[str, Any]:
    """The one saga that these filters find, once it has a state."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        with suppress(httpx.HTTPError):
            answer = await stack.queries.get("/sagas", params=wanted, headers=stack.token("operator"))
            if answer.status_code == 200:
                found[:] = answer.json()
        return [one["label"] for one in found] == [state]

    try:
        await eventually(there, LONG, state)
    except AssertionError:
        raise AssertionError(f"{wanted} is not {state}: {found}") from None
    return found[0]


async def onboarded(stack: RunningStack, body: Mapping[str, Any], state: str) -> dict[str, Any]:
    receipt = await surely(stack, "/partners", body)
    return await saga(stack, {"saga_id": receipt["saga_id"]}, state)


async def is_consistent(stack: RunningStack, found: Mapping[str, Any], *, well: bool) -> None:
    """Waits until the partner and the contract of a saga have the states that its end requires."""
    expected = ("ACTIVO", {"ACTIVO"}) if well else ("RETIRADO", {"INACTIVO", "RECHAZADO"})
    paths = (f"/partners/{found['references']['partner_id']}", f"/contratos/{found['references']['contract_id']}")

    async def as_expected() -> bool:
        with suppress(httpx.HTTPError):
            answers = [await stack.queries.get(path, headers=stack.token("partner_manager")) for path in paths]
            states = [one.json().get("estado") for one in answers]
            return states[0] == expected[0] and states[1] in expected[1]
        return False

    await eventually(as_expected, LONG, f"{paths} as {expected}")


async def decided(stack: RunningStack, approved: bool, state: str) -> None:
    found = await onboarded(stack, partner(nombre="Petrov, Ivan"), "PENDIENTE_REVISION")
    path, officer = f"/contratos/{found['references']['contract_id']}/revision", stack.token("compliance_officer")
    await surely(stack, path, {"aprobado": approved}, officer)
    await is_consistent(stack, await saga(stack, {"saga_id": found["saga_id"]}, state), well=approved)


async def rejected(stack: RunningStack) -> None:
    body = partner()
    await is_consistent(stack, await onboarded(stack, body, "COMPLETADA"), well=True)
    await onboarded(stack, body, "FALLIDA")


async def cancelled(stack: RunningStack) -> None:
    found = await onboarded(stack, {"nombre": "Partner ABC", "tipo": "CORPORATIVO"}, "PENDIENTE_REVISION")

    async def is_cancelled() -> bool:
        code, _, _ = await stack.caudal("sagas", "cancel", found["saga_id"], "--reason", "no longer wanted", "--apply")
        return code == 0

    await eventually(is_cancelled, LONG, "cancelling")
    await is_consistent(stack, await saga(stack, {"saga_id": found["saga_id"]}, "CANCELADA"), well=False)


async def laboratory(stack: RunningStack) -> None:
    """A user, a result and a reading; mail goes out at the second attempt, after a timer."""
    mail = stack.pid_of("mail")
    freeze(mail)  # it takes connections and says nothing: the attempt times out
    await surely(stack, "/users", {"username": "ana", "password": "password2", "role": 1})
    user = str(user_id_of("ana"))

    async def retrying() -> bool:
        with suppress(httpx.HTTPError):
            wanted = {"saga": "clinical_lab.redelivery"}
            rows = (await stack.queries.get("/sagas", params=wanted, headers=stack.token("operator"))).json()
            return isinstance(rows, list) and len(rows) > 0
        return False

    await eventually(retrying, LONG, "an attempt that failed")
    unfreeze(mail)
    login = await surely(stack, "/login", {"username": "ana", "password": "password2"})
    token = {"Authorization": f"Bearer {login['access_token']}"}
    result = await surely(stack, "/results", {"patient": "Paz", "result": "positive"}, token)

    async def read() -> bool:
        with suppress(httpx.HTTPError):
            return (await stack.queries.get(f"/results/{result['id']}", headers=token)).status_code == 200
        return False

    await eventually(read, LONG, "the result")
    await saga(stack, {"saga": "clinical_lab.registration", "reference_ids[has]": user}, "COMPLETED")
    await saga(stack, {"saga": "clinical_lab.result", "reference_ids[has]": result["result_id"]}, "COMPLETED")
    await saga(stack, {"saga": "clinical_lab.redelivery", "sort": "started_at", "limit": "1"}, "COMPLETED")


@pytest.mark.timeout(300)
async def test_every_path_ends_once_whichever_process_dies() -> None:
    environment = {"CAUDAL_SYSTEMS": "partner_alliances,clinical_lab"}
    async with running_stack(environment=environment) as stack:
        stack.commands.timeout = stack.queries.timeout = httpx.Timeout(10)
        made = await stack.commands.put(
            "/compliance/sanciones", json={"nombres": ["Iván Petróv"]}, headers=stack.token("compliance_officer")
        )
        assert made.status_code == 201
        async with killing(stack) as kills:
            await asyncio.gather(
                onboarded(stack, partner(), "COMPLETADA"),
                rejected(stack),
                onboarded(stack, partner(producto="LOTTERY"), "FALLIDA"),
                decided(stack, True, "COMPLETADA"),
                decided(stack, False, "FALLIDA"),
                cancelled(stack),
                laboratory(stack),
            )
        assert set(kills) == set(PROCESSES)

        async def is_whole() -> bool:
            code, _, _ = await stack.caudal("status", "--json")
            return code == 0

        await eventually(is_whole, 60, "the stack's recovery")
        logs = await verify(stack)

        sent = [row for row in logs[ContextName("clinical_lab", "notifications")] if row.type == NotificationSent.message_name]
        causes = Counter(NotificationSent.model_validate_json(row.data).cause for row in sent)
        assert set(causes.values()) == {1}
        _, mail, _ = await stack.caudal("mail")
        assert mail.count("Bienvenido") == mail.count("Resultado 1 disponible") == 1
        steps = [SagaAdvanced.model_validate_json(row.data) for row in logs[ContextName("engine", "sagas")]]
        inputs = Counter(
            (step.saga, step.key, step.input.id) for step in steps if step.input.kind in ("event", "outcome", "timer")
        )
        again = {cause: times for cause, times in inputs.items() if times > 1}
        waited = {(step.saga, step.key, step.input.id) for step in steps if step.deferred}
        assert set(again) <= waited, "a saga got an input twice"
        assert_compensated(steps)


def assert_compensated(steps: Sequence[SagaAdvanced]) -> None:
    """Accepted commands of sagas that failed or were cancelled were compensated once each, the newest first."""
    by_saga: dict[str, list[SagaAdvanced]] = defaultdict(list)
    for step in steps:
        by_saga[f"{step.saga}/{step.key}"].append(step)
    compensated = 0
    for of_saga in by_saga.values():
        sent = [one for step in of_saga for one in step.sent]
        accepted = {step.outcome.number for step in of_saga if step.outcome is not None and step.outcome.rejection is None}
        compensations = [one.compensates for one in sent if one.compensates is not None]
        expected = [one.number for one in sent if one.compensation is not None and one.number in accepted]
        ended_well = of_saga[-1].status not in ("failed", "cancelled")
        assert compensations == ([] if ended_well else sorted(expected, reverse=True)), of_saga[-1]
        compensated += len(compensations) > 1
    assert compensated >= 2, "one that was rejected at its end and one that was cancelled"
