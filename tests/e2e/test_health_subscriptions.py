"""Health subscriptions end to end: the calls of their clients on the whole stack, and commands of other teams."""

import asyncio
import io
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaProducer
from fastavro import parse_schema, schemaless_reader

from schemas.health_subscriptions.parts import data_service_id_of
from tests.conftest import eventually
from tests.other_clients import consumed, encoded, produce
from tests.plain_text import files_with, records_with
from tests.stack import RunningStack, running_stack
from tests.unit.command_api.dicom.images import NAME, image, opened, written

CUSTOMER = {
    "cliente_codigo": "0001", "cliente_nombres": "Pablo", "cliente_apellidos": "Perez", "cliente_usuario": "pperez",
    "cliente_rut": "1234567890", "cliente_cedula": "987654321", "cliente_email": "pperez@domain.com",
    "plan_codigo": "pro", "plan_nombre": "PRO",
}  # fmt: skip
NESTED = {
    "cliente": {
        "codigo": "0001", "nombre": {"nombres": "Pablo", "apellidos": "Perez Prieto"}, "usuario": "pperez",
        "rut": {"numero": 123457890}, "cedula": {"numero": 123457890}, "email": "pperez@domain.com",
    },
    "plan": {"codigo": "pro", "nombre": "PRO"},
    "facturas": [],
}  # fmt: skip
IMAGE = {
    "id_imagen": "46769a88-181f-4468-8i34", "modalidad": "Rayos X", "patologia": "Neumonia", "region_anatomica": "Craneo",
    "formato_imagen": "DICOM", "fuente_de_datos": "Hospital X", "antecedentes": "fumador", "id_paciente": "46769a88-x",
    "fecha_ingesta": "2024-01-01 10:00:00",
}  # fmt: skip

DICOM = {"Content-Type": "application/dicom"}


@pytest.fixture
async def bff(stack: RunningStack) -> Any:
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["health_subscriptions.bff"], timeout=30) as client:
        yield client


async def shown(bff: httpx.AsyncClient, path: str, **expected: Any) -> dict[str, Any]:
    """Returns the answer of a path once it is as expected."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        answer = await bff.get(path)
        found.clear()
        found.update(answer.json())
        return answer.status_code == 200 and expected.items() <= found.items()

    await eventually(there, 30, f"{expected} at {path}")
    return found


async def test_a_subscription_is_created_changed_paid_and_cancelled_in_the_clients_words(bff: httpx.AsyncClient) -> None:
    for body in (CUSTOMER, NESTED):
        answer = await bff.post(
            "/suscripciones/suscripcion-comando", content=orjson.dumps(body), headers={"Content-Type": "aplication/json"}
        )
        assert (answer.status_code, answer.json()) == (202, {})
    path = answer.headers["location"]
    found = await shown(bff, path, estado="Activo")
    assert found["cliente"]["email"] == {"address": "pperez@domain.com", "dominio": "domain.com"}
    assert (found["cliente"]["rut"], found["plan"]) == ({"numero": "123457890"}, {"codigo": "pro", "nombre": "PRO"})

    id = {"id_suscripcion": found["id"]}
    card = {"nombre": "VISA", "numero": "4111 1111 1111 1234"}
    for command, body in (
        ("pagar", {**id, "valor": {"moneda": "COP", "valor": 1000.5}, "medio_pago": card}),
        ("cambiar-plan", {**id, "plan_codigo": "free", "plan_nombre": "FREE"}),
    ):
        assert (await bff.post(f"/suscripciones/{command}-comando", json=body)).status_code == 202
    found = await shown(bff, path, plan={"codigo": "free", "nombre": "FREE"})
    (invoice,) = found["facturas"]
    assert (invoice["valor_total"], invoice["pagos"][0]["medio_pago"]["numero"]) == (
        {"moneda": "COP", "valor": 1000.5},
        "****1234",
    )
    assert (await bff.post("/suscripciones/cancelar-comando", json={**id, "motivo": "fin"})).status_code == 202
    await shown(bff, path, estado="Cancelado")


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/suscripciones/suscripcion-comando", {"cliente_codigo": "1"}, "falta"),
        ("/suscripciones/suscripcion-comando", {**CUSTOMER, "cliente_email": "nadie"}, "/cliente_email no es un email"),
        ("/sagas/iniciar-suscripcion-comando", {**CUSTOMER, "id_suscripcion": "x"}, "/id_suscripcion"),
        ("/procesamiento/procesar-imagen", {}, "El JSON debe contener un campo 'id_imagen'"),
        ("/anonimizar", {"id_imagen": "x"}, "Faltan campos requeridos"),
        ("/anonimizar", {**IMAGE, "fecha_ingesta": "ayer"}, "debe tener la forma AAAA-MM-DD HH:MM:SS"),
    ],
)
async def test_what_is_wrong_is_said_in_spanish(bff: httpx.AsyncClient, path: str, body: Any, error: str) -> None:
    answer = await bff.post(path, json=body)

    assert answer.status_code == 400
    assert error in answer.json()["error"]


async def test_a_plan_with_infrastructure_is_active_with_it_and_leaves_its_steps(
    bff: httpx.AsyncClient, stack: RunningStack
) -> None:
    id = uuid4()
    answer = await bff.post("/sagas/iniciar-suscripcion-comando", json={**CUSTOMER, "id_suscripcion": str(id)})
    assert (answer.status_code, answer.headers["location"]) == (202, f"/suscripciones/suscripcion-query/{id}")

    await shown(bff, f"/suscripciones/suscripcion-query/{id}", estado="Activo")

    service = await shown(bff, f"/serviciodatos/serviciodatos-query/{data_service_id_of(id)}", estado="Creado")
    assert service["suscripcion"] == {"suscripcion": str(id), "plan": "pro", "cliente": "0001"}
    assert (stack.data_dir / "files" / "datasets" / service["id"] / "manifest.json").exists()
    operator = stack.token("operator")

    async def finished() -> bool:
        steps = (await bff.get(f"/sagas/bitacora/{id}", headers=operator)).json()
        words = ["Inicio Saga", "Inicio T1", "Fin Exitoso T1", "Inicio T2", "Fin Exitoso T2", "Fin Saga"]
        return [one["descripcion"] for one in steps] == words and all(one["exitosa"] for one in steps)

    await eventually(finished, 30, "the saga's log")
    assert (await bff.get(f"/sagas/bitacora/{id}")).status_code == 401


async def test_an_image_is_anonymised_at_once_or_later_and_found_by_number_or_id(bff: httpx.AsyncClient) -> None:
    image = {**IMAGE, "id_imagen": f"i-{uuid4()}"}
    sent = await bff.post("/procesamiento/procesar-imagen", json=image)
    assert (sent.status_code, sent.json()) == (202, {"status": "Mensaje enviado"})
    found = await shown(bff, f"/anonimizado/{image['id_imagen']}", id_imagen=image["id_imagen"])
    assert found["fecha_ingesta"] == 2024

    answer = await bff.post("/anonimizar", json=image)

    assert answer.status_code == 200
    number, processed = answer.json()["id"], answer.json()["datos_procesados"]["datos_procesados"]
    assert processed.keys() == IMAGE.keys()
    assert (processed["fuente_de_datos"], processed["antecedentes"]) == ("***ANONIMIZADO***",) * 2
    assert UUID(processed["id_paciente"]) != UUID(found["id_paciente"])
    assert await shown(bff, f"/anonimizado/{number}", id=number) == {"id": number, **processed, "archivo": None}
    assert (await bff.get("/anonimizado/999999999")).json() == {"error": "Datos no encontrados"}


async def test_a_dicom_file_is_kept_without_its_patient_and_read_again(bff: httpx.AsyncClient, stack: RunningStack) -> None:
    original = written(image())
    id, key = f"d/{uuid4()}", {"Idempotency-Key": uuid4().hex}
    sent, again = [
        await bff.post("/procesamiento/imagenes", params={"id_imagen": id}, content=original, headers={**DICOM, **key})
        for _ in range(2)
    ]

    assert (sent.status_code, again.content, again.headers["idempotent-replayed"]) == (201, sent.content, "true")
    found = await shown(bff, f"/anonimizado/{quote(id, safe='')}", id_imagen=id)
    assert (found["id"], found["modalidad"], found["archivo"]) == (sent.json()["id"], "CT", sent.json()["archivo"])
    file = await bff.get(f"/anonimizado/{quote(id, safe='')}/dicom")
    assert (file.headers["content-type"], len(file.content)) == ("application/dicom", found["archivo"]["bytes"])
    kept = opened(file.content)
    assert (kept.PatientIdentityRemoved, kept.PixelData) == ("YES", image().PixelData)
    assert NAME.encode() not in file.content
    assert (await bff.get(f"/anonimizado/{(await at_once(bff, id))['id']}/dicom")).json() == {"error": "Datos no encontrados"}
    for body, status, why in (
        (b"no", 422, "no es un archivo DICOM"),
        (original[:-1], 422, "cortado o dañado"),
        (bytes(64 * 1024**2 + 1), 413, "El cuerpo es demasiado grande"),
    ):
        answer = await bff.post("/procesamiento/imagenes", params={"id_imagen": id}, content=body, headers=DICOM)
        assert (answer.status_code, why in answer.json()["error"]) == (status, True), answer.text
    assert (await bff.post("/procesamiento/imagenes", content=original, headers=DICOM)).status_code == 400
    assert not [path for path in stack.data_dir.glob("files/**/*") if path.is_file() and NAME.encode() in path.read_bytes()]


async def test_a_file_that_is_altered_is_found_and_not_served(bff: httpx.AsyncClient, stack: RunningStack) -> None:
    original = written(image(SOPInstanceUID=f"1.2.{uuid4().int}"))
    sent = (await bff.post("/procesamiento/imagenes", params={"id_imagen": "altered"}, content=original, headers=DICOM)).json()
    await shown(bff, f"/anonimizado/{sent['id']}", id=sent["id"])
    kept = stack.data_dir / "files" / "images" / f"{sent['archivo']['sha256']}.dcm"
    content = kept.read_bytes()
    assert (await stack.caudal("verify", "files"))[0] == 0

    kept.write_bytes(content[:-1])
    code, out, _ = await stack.caudal("verify", "files", "health_subscriptions.imaging")
    answer = await bff.get(f"/anonimizado/{sent['id']}/dicom")

    assert (code, f"position {sent['id']} the file images/{kept.name} has" in " ".join(out.split())) == (1, True), out
    assert answer.status_code == 500
    kept.write_bytes(b"x" * len(content))
    assert (await bff.get(f"/anonimizado/{sent['id']}/dicom")).status_code == 500
    kept.write_bytes(content)
    assert (await stack.caudal("verify", "files"))[0] == 0


async def test_an_image_with_text_in_it_waits_in_quarantine_for_the_privacy_officer(
    bff: httpx.AsyncClient, stack: RunningStack
) -> None:
    officer, waiting = stack.token("privacy_officer"), []
    for n in range(2):
        original = written(image(BurnedInAnnotation="YES", SOPInstanceUID=f"1.2.3.{n}"))
        params = {"id_imagen": f"q-{uuid4()}"}
        answer = await bff.post("/procesamiento/imagenes", params=params, content=original, headers=DICOM)
        assert (answer.status_code, answer.json()["estado"]) == (202, "EN_CUARENTENA")
        assert answer.json()["motivo"] == "posible texto en la imagen"
        waiting.append(answer.json())
        assert (await shown(bff, answer.headers["location"], estado="EN_CUARENTENA"))["motivo"] == answer.json()["motivo"]
        path = f"/procesamiento/cuarentena/{answer.json()['id']}"
        assert (await bff.get(f"{path}/dicom")).status_code == 401
        assert (await bff.post(f"{path}/liberar")).status_code == 401

        async def looked_at(path: str = path, original: bytes = original) -> bool:
            return (await bff.get(f"{path}/dicom", headers=officer)).content == original

        await eventually(looked_at, 30, "the file as it came")
    assert not [path for path in stack.data_dir.glob("files/**/*") if path.is_file() and NAME.encode() in path.read_bytes()]

    released, discarded = (f"/procesamiento/cuarentena/{one['id']}" for one in waiting)
    assert (await bff.post(f"{released}/liberar", headers=officer)).json() == {"estado": "LIBERADA"}
    assert (await bff.post(f"{discarded}/descartar", headers=officer)).json() == {"estado": "DESCARTADA"}
    assert (await bff.post(f"{discarded}/liberar", headers=officer)).status_code == 422

    async def emptied() -> bool:
        ours = dict[str, Any]()
        for word in ("LIBERADA", "descartada"):
            rows = (await bff.get("/procesamiento/cuarentena", params={"estado": word}, headers=officer)).json()
            ours |= {one["id"]: (one["estado"], one["bytes"]) for one in rows}
        return [ours.get(one["id"]) for one in waiting] == [("LIBERADA", None), ("DESCARTADA", None)]

    await eventually(emptied, 30, "the quarantine without files")
    assert not list((stack.data_dir / "files").glob("quarantine/*"))

    async def keys_erased() -> bool:
        found = await stack.fetch("select data->>'subject' as subject from engine__privacy.events")
        return {f"quarantine {one['id']}" for one in waiting} <= {row["subject"] for row in found}

    await eventually(keys_erased, 30, "the erasure of the keys")
    left = {one["id"] for one in (await bff.get("/procesamiento/cuarentena", headers=officer)).json()}
    assert not left & {one["id"] for one in waiting}
    found = await shown(bff, f"/anonimizado/{waiting[0]['id_imagen']}", modalidad="CT")
    await shown(bff, f"/procesamiento/imagenes/{waiting[0]['id']}", estado="ANONIMIZADA", numero=found["id"])
    await shown(bff, f"/procesamiento/imagenes/{waiting[1]['id']}", estado="DESCARTADA", numero=None)
    assert opened((await bff.get(f"/anonimizado/{found['id']}/dicom")).content).PatientIdentityRemoved == "YES"
    assert (await bff.get(f"/anonimizado/{waiting[1]['id_imagen']}")).status_code == 404


async def test_a_file_is_fetched_from_an_allowed_source_and_nothing_of_its_patient_or_its_address_is_kept() -> None:
    name, asked = f"p{uuid4().hex}", list[str]()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if "late" in request.path and len([one for one in asked if "late" in one]) == 1:
            return web.Response(status=503)
        found = image(PatientName=name, BurnedInAnnotation="YES" if "text" in request.path else None)
        return web.Response(body=written(found)) if request.path.endswith(".dcm") else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        source = f"http://127.0.0.1:{server.port}/studies/"
        environment = {
            "CAUDAL_SYSTEMS": "health_subscriptions",
            "CAUDAL_FILE_SOURCES": orjson.dumps([source]).decode(),
            "CAUDAL_FILE_SOURCE_NETWORKS": "127.0.0.1",
        }
        async with (
            running_stack(environment=environment) as stack,
            httpx.AsyncClient(base_url=stack.endpoints["gateways"]["health_subscriptions.bff"], timeout=30) as bff,
        ):
            urls = {"ok": "a.dcm", "late": "late.dcm", "text": "text.dcm", "none": "x", "out": "../x.dcm"}
            locations = dict[str, str]()
            for id, path in urls.items():
                sent = {"id_imagen": id, "url_imagen": f"{source}{path}?patient={name}"}
                answered = await bff.post("/procesamiento/procesar-imagen", json=sent)
                assert (answered.status_code, answered.json()) == (202, {"status": "Mensaje enviado"})
                locations[id] = answered.headers["location"]

            for id in ("ok", "late"):
                found = await shown(bff, f"/anonimizado/{id}", modalidad="CT")
                assert found["archivo"]["filas"] == 4
                assert opened((await bff.get(f"/anonimizado/{id}/dicom")).content).PatientIdentityRemoved == "YES"
            await eventually(lambda: is_recorded(stack, "ImageQuarantined", "text"), 30, "the quarantine")
            for id, why in (("none", "La fuente no tiene la imagen"), ("out", "La URL de la imagen no está permitida")):
                await shown(bff, locations[id], estado="RECHAZADA", motivo=why)
            await shown(bff, locations["late"], estado="ANONIMIZADA", id_imagen="late")
            await stack.fetch("checkpoint")
            assert list(files_with(stack.data_dir, [name])) == []
            kinds = [f"health_subscriptions.{kind}".encode() for kind in ("ImageAnonymised", "ImagePostponed", "fetch-image")]
            assert await records_with(stack, [name], kinds) == []
    assert not [path for path in asked if not path.startswith("/studies/")]


async def is_recorded(stack: RunningStack, event: str, image_id: str) -> bool:
    (row,) = await stack.fetch(
        "select count(*) as n from health_subscriptions__imaging.events where type = $1 and data->>'image_id' = $2",
        event,
        image_id,
    )
    return bool(row["n"] == 1)


async def at_once(bff: httpx.AsyncClient, id: str) -> dict[str, Any]:
    """Returns the answer to an image of which the metadata alone are sent."""
    answer: dict[str, Any] = (await bff.post("/anonimizar", json={**IMAGE, "id_imagen": f"m-{id}"})).json()
    await shown(bff, f"/anonimizado/m-{id}", id_imagen=f"m-{id}")
    return answer


async def test_a_stranger_starts_a_subscription_and_reads_of_it_with_the_registrys_schemas_alone(
    stack: RunningStack, bff: httpx.AsyncClient
) -> None:
    id = str(uuid4())
    async with httpx.AsyncClient(base_url=stack.endpoints["schema_registry"]) as registry:
        registered = (await registry.get("/subjects/comandos-iniciar-suscripcion-value/versions/latest")).json()
        record = {
            "id": str(uuid4()),
            "time": 1,
            "ingestion": 1,
            "specversion": "v1",
            "data": {**CUSTOMER, "id_suscripcion": id},
        }
        await asyncio.to_thread(produce, stack, "comandos-iniciar-suscripcion", [encoded(record, registered), b"rubbish"])
        await asyncio.to_thread(
            produce, stack, "anonimizacion", [orjson.dumps({**IMAGE, "id_imagen": f"t-{id}", "timestamp": "ff"})]
        )
        await asyncio.to_thread(produce, stack, "consulta_anonimizacion", [f"t-{id}".encode()])

        for value in await asyncio.to_thread(consumed, stack, "eventos-suscripcion-creada", id.encode()):
            schema = (await registry.get(f"/schemas/ids/{int.from_bytes(value[1:5])}")).json()["schema"]
            read: Any = schemaless_reader(io.BytesIO(value[5:]), parse_schema(orjson.loads(schema)), None)
    assert read["data"] == {"codigo_cliente": "0001", "codigo_plan": "pro", "id_suscripcion": id}

    await shown(bff, f"/suscripciones/suscripcion-query/{id}", estado="Activo")
    await shown(bff, f"/anonimizado/t-{id}", id_imagen=f"t-{id}")


async def test_nothing_of_a_person_is_in_a_log_or_on_a_topic_of_ours(stack: RunningStack, bff: httpx.AsyncClient) -> None:
    secret = f"s{uuid4().hex[:12]}"
    body = {**CUSTOMER, "cliente_apellidos": secret, "cliente_cedula": f"{secret}-1", "cliente_email": f"{secret}@domain.com"}
    answer = await bff.post("/suscripciones/suscripcion-comando", json=body)
    await shown(bff, answer.headers["location"], estado="Activo")
    image = {**IMAGE, "id_paciente": secret, "antecedentes": secret, "fuente_de_datos": secret}
    assert (await bff.post("/anonimizar", json=image)).status_code == 200

    wrong = {**image, "fecha_ingesta": "ayer"}
    producer = AIOKafkaProducer(bootstrap_servers=stack.endpoints["brokers"])
    await producer.start()
    try:
        await producer.send_and_wait(
            "anonimizacion", orjson.dumps(wrong), key=secret.encode(), headers=[("x", secret.encode())]
        )
    finally:
        await producer.stop()

    async def parked() -> bool:
        _, out, _ = await stack.caudal("dead-letters", "records", "--topic", "anonimizacion", "--json")
        assert secret not in out
        return "the record was not understood: ValueError" in out

    await eventually(parked, 30, "the record that is no command")
    for context in ("subscriptions", "imaging", "notifications", "data_services"):
        (row,) = await stack.fetch(
            f"select count(*) as found from health_subscriptions__{context}.events where data::text like $1", f"%{secret}%"
        )
        assert row["found"] == 0
