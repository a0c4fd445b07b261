"""The medical datasets' rollbacks in each order, while the stack's parts are killed: a request ends whole or not at all."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import httpx
import pytest

from schemas.medical_datasets import SYSTEM
from schemas.system import ContextName
from tests.chaos.stack import PROCESSES
from tests.conftest import eventually
from tests.dicom_source import datasets_from, dicom_source
from tests.kills import LONG, accepted, killing
from tests.stack import RunningStack, running_stack
from tests.verify import verify

STARTED, IMAGE = "AnonymisationStarted", ("PatientLinked", "ImageAnonymised", "MappingStarted")
CHAINS = {
    "UCI": ("ParquetMapped", "ProcessingStarted", "DatasetCreated"),
    "UCI FalloSimuladoMapear": ("MappingFailed", "AnonymisationRolledBack"),
    "UCI FalloSimuladoProcesamiento": (
        "ParquetMapped",
        "ProcessingStarted",
        "ProcessingFailed",
        "MappingRolledBack",
        "AnonymisationRolledBack",
    ),
}
"""The events of a request after its image, by its clinical setting."""
REQUESTS = 4
"""For each of them."""


@pytest.mark.timeout(300)
async def test_each_request_ends_whole_or_rolled_back_whichever_process_dies() -> None:
    async with dicom_source() as source, running_stack(environment=datasets_from(source)) as stack:
        async with killing(stack) as kills:
            settings = [setting for setting in CHAINS for _ in range(REQUESTS)]
            ids = await asyncio.gather(*(_requested(stack, setting, f"{source}image.dcm") for setting in settings))
            for setting, id in zip(settings, ids, strict=True):
                await _ended(stack, id, setting)
        assert set(kills) == set(PROCESSES)
        logs = await verify(stack)
        files = {path.stem for path in (stack.data_dir / "files").rglob("*") if path.is_file()}
        code, out, _ = await stack.caudal("verify", "files")

    assert code == 0, out
    found: dict[str, Counter[str]] = {id: Counter() for id in ids}
    for context in ("anonymisation", "mapping", "processing"):
        for row in logs[ContextName("medical_datasets", context)]:
            event = EVENTS[row.type].model_validate_json(row.data)
            found[str(event.saga_id)][row.type] += 1  # type: ignore[attr-defined]
    for setting, id in zip(settings, ids, strict=True):
        assert found[id] == Counter((STARTED, *IMAGE, *CHAINS[setting])), setting
        assert (id in files) is (setting == "UCI"), "files of a request that failed are deleted, and no others"


EVENTS = {event.message_name: event for context in SYSTEM.contexts for event in context.events}


async def _requested(stack: RunningStack, setting: str, url: str) -> str:
    body = {"nombre_paciente": "Ana Zárate", "entorno_clinico": setting, "img": url, "data": {"a": 1}}
    answer = await accepted(stack, "/anonimacion/anonimizar_imagen", body)
    return answer.headers["Command-Id"]


async def _ended(stack: RunningStack, id: str, setting: str) -> None:
    """Waits until a request has its dataset or is rolled back."""
    is_well = setting == "UCI"
    path = f"/procesamiento/datasets/{id}" if is_well else f"/anonimacion/solicitudes/{id}"
    answer: Any = None

    async def is_ended() -> bool:
        nonlocal answer
        with suppress(httpx.HTTPError):
            answer = (await stack.queries.get(path)).json()
        return isinstance(answer, dict) and answer.get("estado") == ("Finalizado" if is_well else "Deshecha")

    try:
        await eventually(is_ended, LONG, "the end of a request")
    except AssertionError:
        raise AssertionError(f"{setting}: {answer}") from None
