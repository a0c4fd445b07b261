"""Medical datasets end to end: requests become Parquet files and datasets, or nothing; and no patient is left anywhere."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import polars
import pytest

from tests.browser import chromium
from tests.conftest import eventually
from tests.dicom_source import datasets_from, dicom_source
from tests.other_clients import encoded, produce
from tests.plain_text import files_with
from tests.stack import RunningStack, running_stack
from tests.unit.command_api.dicom.images import NAME

PERSON = {
    "historial_paciente_id": "HC-90210",
    "nombre_paciente": "Anastasia Zárate",
    "direccion_paciente": "Transversal 99 # 1-23",
    "telefono_paciente": "300 555 0199",
}
REQUEST: dict[str, Any] = {
    **PERSON,
    "entorno_clinico": "Clínico",
    "registro_de_diagnostico": {"region_anatomica": "Cabeza", "modalidad": "CT", "patologia": "Tumor"},
    "fecha_creacion": "2025-03-09T12:30:00Z",
    "fecha_actualizacion": "2025-03-09T12:30:00.123",
    "contexto_procesal": "Inicial",
    "notas_clinicas": "ANASTASIA ZARATE llamó del 3005550199",
    "data": {"examenes": ["Sangre"], "resultados": {"médico de Zárate": "bien"}},
}
_PARTS = ("Anastasia", "Zárate", "Zarate", "Transversal 99", "HC-90210", NAME)
SECRETS = (*PERSON.values(), "3005550199", *(form for part in _PARTS for form in (part, part.lower(), part.upper())))

OPERATOR = "operador@example.org"


@pytest.fixture(scope="module")
async def source() -> AsyncIterator[str]:
    async with dicom_source() as url:
        yield url


@pytest.fixture(scope="module")
async def datasets(source: str) -> AsyncIterator[RunningStack]:
    environment = {**datasets_from(source), "CAUDAL_MAIL_OPERATOR": OPERATOR}
    async with running_stack(environment=environment) as stack:
        yield stack


def client(stack: RunningStack, gateway: str = "medical_datasets") -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=stack.endpoints["gateways"][gateway], timeout=30)


async def requested(http: httpx.AsyncClient, **change: Any) -> str:
    """Returns the id of a request that was accepted."""
    answer = await http.post("/anonimacion/anonimizar_imagen", json={**REQUEST, **change})
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"] == "Se ha recibido la solicitud correctamente"
    return answer.headers["Command-Id"]


async def shown(http: httpx.AsyncClient, path: str, **expected: Any) -> dict[str, Any]:
    """Returns the answer of a path once it is as expected."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        answer = await http.get(path)
        found.clear()
        found.update(answer.json())
        return answer.status_code == 200 and expected.items() <= found.items()

    try:
        await eventually(there, 40)
    except AssertionError:
        raise AssertionError(f"{expected} is not at {path}: {found}") from None
    return found


async def steps_of(stack: RunningStack, id: str) -> list[str]:
    """Returns the events of a request in the order in which they were recorded."""
    rows = [
        row
        for context in ("anonymisation", "mapping", "processing")
        for row in await stack.fetch(
            f"select type, recorded_at, position from medical_datasets__{context}.events where data->>'saga_id' = $1", id
        )
    ]
    return [row["type"] for row in sorted(rows, key=lambda row: (row["recorded_at"], row["position"]))]


async def test_requests_become_files_and_datasets_and_their_patients_are_nowhere(datasets: RunningStack, source: str) -> None:
    async with client(datasets) as http, client(datasets, "medical_datasets.bff_web") as web_pages:
        ids = await asyncio.gather(*(requested(http, img=f"{source}image.dcm") for _ in range(10)))
        for id in ids:
            dataset = await shown(http, f"/procesamiento/datasets/{id}", estado="Finalizado")
            request = await shown(http, f"/anonimacion/solicitudes/{id}", estado="Anonimizada", imagen_estado="ANONIMIZADA")
            content = (await http.get(f"/mapear/parquets/{id}")).content
            (row,) = polars.read_parquet(BytesIO(content)).to_dicts()
            assert row["token"] == request["token"] == dataset["historial_paciente_id"]
            assert row["notas_clinicas"] == "***ANONIMIZADO*** llamó del ***ANONIMIZADO***"
            assert row["imagen_sha256"] == request["imagen"]
            steps = await steps_of(datasets, id)
            assert [step for step in steps if step != "PatientLinked"] == [
                "AnonymisationStarted",
                "ImageAnonymised",
                "MappingStarted",
                "ParquetMapped",
                "ProcessingStarted",
                "DatasetCreated",
            ]
        assert len({path.name for path in (datasets.data_dir / "files").rglob("*.parquet")}) >= 10

        officer = datasets.token("privacy_officer")
        patient = (await http.get(f"/anonimacion/pacientes/{request['token']}", headers=officer)).json()
        assert {name: patient[name] for name in PERSON} == PERSON
        assert (await http.get(f"/anonimacion/pacientes/{request['token']}")).status_code == 401

        listed = (await web_pages.get("/obtener-parquets")).json()["data"]
        assert request["token"] in {one["token"] for one in listed}
        async with client(datasets, "medical_datasets.bff_mobile") as phones:
            for one in (await phones.get("/obtener-parquets")).json()["data"]:
                assert one.keys() == {"token", "fecha_creacion", "contexto_procesal"}
            assert (await phones.get("/mapear/obtener-parquets")).status_code == 404

    found = await asyncio.to_thread(lambda: list(files_with(datasets.data_dir, SECRETS)))
    assert found == [], "a patient is on the disk"
    code, out, _ = await datasets.caudal("verify", "files")
    assert code == 0, out


@pytest.mark.parametrize(
    ("word", "events"),
    [
        ("FalloSimuladoMapear", ["MappingFailed", "AnonymisationRolledBack"]),
        ("FalloSimuladoProcesamiento", ["ProcessingFailed", "MappingRolledBack", "AnonymisationRolledBack"]),
    ],
)
async def test_a_request_that_fails_is_compensated_in_the_opposite_order(
    datasets: RunningStack, source: str, word: str, events: list[str]
) -> None:
    async with client(datasets) as http:
        id = await requested(http, img=f"{source}image.dcm", entorno_clinico=f"UCI {word}")
        await shown(http, f"/anonimacion/solicitudes/{id}", estado="Deshecha", imagen=None)
        steps = await steps_of(datasets, id)
        assert [step for step in steps if step in events] == events
        assert not {"DatasetCreated", "ProcessingRolledBack"} & set(steps)
        assert [path for path in (datasets.data_dir / "files").rglob("*") if id in path.name] == []
        assert (await http.get(f"/mapear/parquets/{id}")).status_code == 404
    code, out, _ = await datasets.caudal("verify", "files")
    assert code == 0, out


async def test_the_page_shows_a_new_dataset_and_its_steps(datasets: RunningStack) -> None:
    async with chromium() as browser, client(datasets) as http:
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(datasets.endpoints["pages"]["medical_datasets"])
        await page.wait_for_selector("#conexion[data-estado=conectada]")
        id = await requested(http)
        await page.wait_for_selector(f'#mensajes li[data-id="{id}"]')
        await page.wait_for_selector(f'#pasos li[data-id="{id}"] >> text=Dataset creado')
        assert await page.locator(f'#pasos li[data-id="{id}"]').count() == 6
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert errors == []


async def test_packets_and_datasets_by_hand(datasets: RunningStack) -> None:
    packet = {name: value for name, value in REQUEST.items() if name not in PERSON}
    async with client(datasets) as http:
        answer = await http.post("/mapear/create-parquet", json={**packet, "token": None})
        assert (answer.status_code, answer.json()) == (202, {})
        await shown(http, f"/procesamiento/datasets/{answer.headers['Command-Id']}", estado="Finalizado")

        made = {**packet, "packet_id": "paquete 1", "historial_paciente_id": "HC-1"}
        answer = await http.post("/procesamiento/crear-dataset-medico-comando", json=made)
        assert (answer.status_code, answer.json()) == (202, {})
        found = await shown(http, "/procesamiento/datasets/paquete%201", estado="Finalizado")
        assert found["historial_paciente_id"] is None

        for service in ("anonimacion", "mapear", "procesamiento"):
            answer = await http.get(f"/{service}/test_{'anonimacion' if service == 'anonimacion' else service}")
            assert answer.json() == {"message": "Get request processed successfully"}


async def test_a_request_comes_by_topic_from_a_client_that_knows_the_registrys_schema_alone(datasets: RunningStack) -> None:
    id, fields = str(uuid4()), {"packet_id": "p-1", "imagen": None, "entorno_clinico": "UCI", "data": '{"a": 1}'}
    async with httpx.AsyncClient(base_url=datasets.endpoints["schema_registry"]) as registry:
        registered = (await registry.get("/subjects/comandos-dicom-anonimo-value/versions/latest")).json()
    record = {"id": id, "time": 1, "ingestion": 1, "specversion": "v1", "data": fields}
    await asyncio.to_thread(produce, datasets, "comandos-dicom-anonimo", [encoded(record, registered), b"rubbish"])
    async with client(datasets) as http:
        request = await shown(http, f"/anonimacion/solicitudes/{id}", estado="Anonimizada", imagen_estado="NO_DESCARGADA")
        dataset = await shown(http, f"/procesamiento/datasets/{id}", estado="Finalizado", entorno_clinico="UCI")
    assert dataset["historial_paciente_id"] == request["token"]


async def test_the_operator_gets_mail_once_about_a_dataset_and_about_a_request_that_failed(datasets: RunningStack) -> None:
    async with client(datasets) as http:
        made, failed = await requested(http), await requested(http, entorno_clinico="FalloSimuladoProcesamiento")

    mail = ""

    async def both() -> bool:
        nonlocal mail
        _, mail, _ = await datasets.caudal("mail")
        return f"Dataset creado: {made}" in mail and f"Procesamiento fallido: {failed}" in mail

    await eventually(both, 40, "mail")
    assert OPERATOR in mail
    assert mail.count(f"Dataset creado: {made}") == mail.count(f"Procesamiento fallido: {failed}") == 1
    assert not [secret for secret in SECRETS if secret in mail]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"img": "ftp://a/b"}, "/img La URL de la imagen no es válida"),
        ({"fecha_creacion": "ayer"}, "/fecha_creacion debe ser una fecha ISO 8601"),
        ({"data": "[1]"}, "/data debe ser un objeto JSON"),
    ],
)
async def test_errors_are_spanish(datasets: RunningStack, change: dict[str, Any], error: str) -> None:
    async with client(datasets) as http:
        answer = await http.post("/anonimacion/anonimizar_imagen", json={**REQUEST, **change})
        assert (answer.status_code, answer.json()) == (400, {"error": error})
        missing = await http.get("/procesamiento/datasets/nothing")
        assert (missing.status_code, missing.json()) == (404, {"error": "No existe el dataset"})
