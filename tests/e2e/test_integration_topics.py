"""Integration topics as other teams read them: with the registry's schemas alone, by fastavro and by Confluent's client."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro import parse_schema, schemaless_reader, schemaless_writer

from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from streams.settings import Settings
from tests.conftest import eventually
from tests.stack import RunningStack
from tests.unit.command_api.dicom.images import image as dicom_image
from tests.unit.command_api.dicom.images import written

CATALOG = installed_catalog()
OUTGOING = [one for context in CATALOG.contexts for one in CATALOG.outgoing(context)]


async def records_of(stack: RunningStack, topic: str) -> Sequence[Any]:
    """All records of a topic, by a consumer that is not Caudal's."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.endpoints["brokers"])
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic) or range(4)]
        ends = await consumer.end_offsets(partitions)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[Any] = []
        while len(found) < sum(ends.values()):
            for some in (await consumer.getmany(timeout_ms=500)).values():
                found += some
        return found
    finally:
        await consumer.stop()


async def everything_happened(stack: RunningStack) -> None:
    """Makes each system record every kind of event that it publishes as a record of Avro."""
    await in_the_laboratory(stack)
    await subscriptions(stack)
    await flights(stack)
    await datasets(stack)
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["partner_alliances"], timeout=30) as client:
        partner = {"nombre": "Socia", "email": f"{uuid4().hex}@example.org", "telefono": "1", "direccion": "cra 7"}
        created = await client.post("/api/v1/partners", json=partner)
        path = f"/api/v1/partners/{created.json()['partner']['id']}"
        await client.put(path, json={"telefono": "2"})
        await client.put(f"{path}/kyc", json={"estado_kyc": "APROBADO", "documentos": {}, "comentarios": "bien"})
        added = await client.post(f"{path}/integraciones", json={"tipo": "API", "nombre": "Ads"})
        integration = added.json()["integracion"]["id"]
        await client.put(f"/integraciones/{integration}/revocar", json={"motivo": "fin"})
        assert (await client.delete(path)).status_code == 200


async def subscriptions(stack: RunningStack) -> None:
    """Each kind of event of subscriptions and data services, those of compensations by commands of other teams."""
    url = stack.endpoints["gateways"]["health_subscriptions.bff"]
    customer = {
        **dict.fromkeys(("cliente_nombres", "cliente_apellidos", "cliente_usuario"), "Ana Secreta"),
        **dict.fromkeys(("cliente_rut", "cliente_cedula"), "Ana Secreta"),
        "cliente_codigo": "0002",
        "cliente_email": f"{uuid4().hex}@example.org",
    }
    image = {"id_imagen": "i", "modalidad": "x", "formato_imagen": "x", "fuente_de_datos": "Ana Secreta"}
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:

        async def sent(path: str, body: Mapping[str, Any]) -> str:
            answer = await client.post(path, json=body)
            assert answer.status_code in (200, 202), answer.text
            return str(answer.headers.get("location", "")).rpartition("/")[2]

        async def state(path: str, expected: str) -> None:
            async def there() -> bool:
                return bool((await client.get(path)).json().get("estado") == expected)

            await eventually(there, 30, f"{path} {expected}")

        await sent("/suscripciones/suscripcion-comando", customer)  # without a plan it fails
        id = await sent("/sagas/iniciar-suscripcion-comando", {**customer, "plan_codigo": "pro"})
        await state(f"/suscripciones/suscripcion-query/{id}", "Activo")
        subscription = {"id_suscripcion": id}
        await sent("/suscripciones/pagar-comando", {**subscription, "valor": {"moneda": "COP", "valor": 1}})
        await sent("/suscripciones/cambiar-plan-comando", {**subscription, "plan_codigo": "otro"})
        await sent("/suscripciones/cancelar-comando", subscription)
        suscripcion = {"codigo": "1", "cliente": {"codigo": "1"}, "plan": {}}
        service = await sent("/serviciodatos/serviciodatos-comando", {"suscripcion": suscripcion, "experto": {"codigo": "e"}})
        await state(f"/serviciodatos/serviciodatos-query/{service}", "Creado")
        await sent("/serviciodatos/iniciar-comando", {"id_serviciodatos": service})
        await sent("/serviciodatos/terminar-comando", {"id_serviciodatos": service})
        await pictures(client)
        await sent("/anonimizar", {**image, "fecha_ingesta": "2025-01-01 00:00:00"})
        other = await sent("/suscripciones/suscripcion-comando", {**customer, "plan_codigo": "otro"})
        await state(f"/suscripciones/suscripcion-query/{other}", "Activo")
    await by_topic(stack, "comandos-compensacion-crear-suscripcion", {"id": other})
    await by_topic(stack, "comandos-compensacion-crear-infraestructura", {"id_suscripcion": id})


async def pictures(client: httpx.AsyncClient) -> None:
    """An image in quarantine, and one that is rejected."""
    headers = {"Content-Type": "application/dicom"}
    file = written(dicom_image(BurnedInAnnotation="YES"))
    answer = await client.post("/procesamiento/imagenes", params={"id_imagen": "q"}, content=file, headers=headers)
    assert answer.status_code == 202, answer.text
    out = {"id_imagen": "r", "url_imagen": "https://nowhere.example/1.dcm"}
    assert (await client.post("/procesamiento/procesar-imagen", json=out)).status_code == 202


async def flights(stack: RunningStack) -> None:
    """Each kind of event of reservations and customers."""
    leg = {
        "fecha_salida": "2030-01-01T12:00:00Z",
        "fecha_llegada": "2030-01-01T14:00:00Z",
        "origen": {"codigo": "BOG"},
        "destino": {"codigo": "JFK"},
    }
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["flight_reservations"], timeout=30) as client:
        body = {"itinerarios": [{"odos": [{"segmentos": [{"legs": [leg]}]}]}]}
        assert (await client.post("/vuelos/reserva", json=body)).status_code == 200
        assert (await client.post("/vuelos/reserva-comando", json={"itinerarios": []})).status_code == 202  # it is rejected
        customer = {"nombres": "Ana Secreta", "email": f"{uuid4().hex}@example.org"}
        assert (await client.post("/cliente/usuario", json=customer)).status_code == 202


async def by_topic(stack: RunningStack, topic: str, data: Mapping[str, Any]) -> None:
    """Sends a command with the schema that the registry has."""
    async with httpx.AsyncClient(timeout=30) as client:
        subject = f"{stack.endpoints['schema_registry']}/subjects/{topic}-value/versions/latest"
        registered = (await client.get(subject)).json()
    out = io.BytesIO()
    out.write(b"\0" + registered["id"].to_bytes(4, "big"))
    schemaless_writer(out, parse_schema(orjson.loads(registered["schema"])), {"id": str(uuid4()), "data": data})
    producer = AIOKafkaProducer(bootstrap_servers=stack.endpoints["brokers"])
    await producer.start()
    try:
        await producer.send_and_wait(topic, out.getvalue(), key=b"k")
    finally:
        await producer.stop()


NEVER_HERE = {
    "EventoInfraestructuraNoCreada",
    "EventoRollbackAnonimacion",
    "EventoRollbackMapeo",
    "EventoRollbackProcesamiento",
}
"""Records of failures that are simulated: test_integrity_between_services and test_medical_datasets have them."""


async def datasets(stack: RunningStack) -> None:
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["medical_datasets"], timeout=30) as client:
        body = {"nombre_paciente": "Ana Secreta", "notas_clinicas": "Ana Secreta vino", "data": {"a": 1}}
        assert (await client.post("/anonimacion/anonimizar_imagen", json=body)).status_code == 200


async def in_the_laboratory(stack: RunningStack) -> None:
    url, name = stack.endpoints["gateways"]["clinical_lab"], f"u{uuid4().hex[:12]}"
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await client.post("/users", json={"username": name, "password": "pass1234"})
        answer = await client.post("/login", json={"username": name, "password": "pass1234"})
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        result = await client.post("/results", json={"patient": "Ana Secreta", "result": "Positivo"}, headers=headers)
        assert (await client.get(f"/results/{result.json()['id']}", headers=headers)).status_code == 200


async def test_every_record_is_read_with_the_registrys_schema_alone(stack: RunningStack) -> None:
    await everything_happened(stack)
    topics, registry = Topics(Settings(), CATALOG), stack.endpoints["schema_registry"]
    wanted = {
        (topics.integration(one.topic), one.name) for one in OUTGOING if one.record is not None and one.name not in NEVER_HERE
    }
    found: dict[tuple[str, str], dict[str, Any]] = {}
    async with httpx.AsyncClient(timeout=30) as client:

        async def all_there() -> bool:
            for topic in {topic for topic, _ in wanted}:
                for record in await records_of(stack, topic):
                    id = int.from_bytes(record.value[1:5], "big")
                    schema = (await client.get(f"{registry}/schemas/ids/{id}")).json()["schema"]
                    values = schemaless_reader(io.BytesIO(record.value[5:]), parse_schema(orjson.loads(schema)), None)
                    assert isinstance(values, dict)
                    found[topic, dict(record.headers)["ce_type"].decode()] = values
                    confluent = await asyncio.to_thread(by_confluent, registry, topic, record.value)
                    assert confluent == values
                    assert not [text for text in (b"Ana Secreta", b"@example.org") if text in record.value]
            return found.keys() >= wanted

        await eventually(all_there, 60, "a record of each kind")
        subjects = (await client.get(f"{registry}/subjects")).json()
        for subject in subjects:
            latest = (await client.get(f"{registry}/subjects/{subject}/versions/latest")).json()
            again = await client.post(f"{registry}/subjects/{subject}", json={"schema": latest["schema"]})
            assert again.json() == latest
            registered = await client.post(f"{registry}/subjects/{subject}/versions", json={"schema": latest["schema"]})
            assert (registered.status_code, registered.json()["id"]) == (200, latest["id"])
    code, out, err = await stack.caudal("verify", "topics")
    assert code == 0, out + err


CONTRACT = {"partner_id": str, "contrato_id": str, "estado": str}
DOCUMENTS: Mapping[str, Mapping[str, type]] = {
    "ContratoCreado": {**CONTRACT, "monto": object, "moneda": object, "tipo": str, "fecha_inicio": str, "fecha_creacion": str},
    "contrato-rechazado": {**CONTRACT, "fecha_rechazo": str, "causa_rechazo": str, "validacion_fallida": str},
    "revision-contrato": {**CONTRACT, "motivo": str},
    "contrato-aprobado": {**CONTRACT, "fecha_aprobacion": str, "validaciones_pasadas": list},
}
"""The members of the documents on each topic of contracts, with their types."""


async def test_every_document_is_read_as_json(stack: RunningStack) -> None:
    officer = stack.token("compliance_officer")
    topics = Topics(Settings(), CATALOG)
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["partner_alliances"], timeout=30) as client:
        partner = {"nombre": f"Evil Corp {uuid4().hex[:6]}", "email": f"{uuid4().hex}@example.org"}
        sent = await client.put("/compliance/sanciones", json={"nombres": [partner["nombre"]]}, headers=officer)
        assert sent.status_code in (200, 201)
        id = (await client.post("/api/v1/partners", json=partner)).json()["partner"]["id"]
        found: dict[str, dict[str, Any]] = {}

        async def are_there(*names: str) -> bool:
            for name in names:
                for record in await records_of(stack, topics.integration(name)):
                    document = orjson.loads(record.value)
                    if document["partner_id"] == id:
                        assert partner["nombre"].lower().encode() not in record.value.lower()
                        found[name] = document
            return set(names) <= found.keys()

        await eventually(lambda: are_there("ContratoCreado", "contrato-rechazado", "revision-contrato"), 60, "the documents")
        path = f"/contratos/{found['revision-contrato']['contrato_id']}/revision"
        decided = await client.post(path, json={"aprobado": True, "motivo": "revisado"}, headers=officer)
        assert decided.status_code in (200, 201), decided.text
        await eventually(lambda: are_there("contrato-aprobado"), 60, "the approval")
    assert found["contrato-rechazado"]["causa_rechazo"].endswith("LISTA_DE_SANCIONES")
    for name, members in DOCUMENTS.items():
        for member, kind in members.items():
            assert isinstance(found[name][member], kind), (name, member, found[name])


def by_confluent(registry: str, topic: str, value: bytes) -> Any:
    """The values as Confluent's deserializer reads them."""
    with SchemaRegistryClient({"url": registry}) as client:
        return AvroDeserializer(client)(value, SerializationContext(topic, MessageField.VALUE))


async def test_what_the_registry_does_not_have_is_an_error_of_its_api(stack: RunningStack) -> None:
    registry = stack.endpoints["schema_registry"]
    async with httpx.AsyncClient(base_url=registry) as client:
        for path, code in (
            ("/subjects/nothing/versions", 40401),
            ("/subjects/nothing/versions/latest", 40401),
            ("/subjects/event-user-value/versions/99", 40402),
            ("/schemas/ids/999999", 40403),
        ):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error_code"]) == (404, code)
        look_up = await client.post("/subjects/event-user-value", json={"schema": '{"type": "string"}'})
        assert look_up.json()["error_code"] == 40403
        other = await client.post("/subjects/event-user-value/versions", json={"schema": '{"type": "string"}'})
        assert (other.status_code, other.json()["error_code"]) == (422, 42205)
        assert "read-only" in other.json()["message"]
        for body in ("", "[]", '{"schema": "{"}', '{"schema": 1}'):
            answer = await client.post("/subjects/event-user-value", content=body)
            assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)
        assert (await client.post("/subjects/event-user-value/versions", json={})).json()["error_code"] == 42201
        assert (await client.get("/")).json() == (await client.get("/subjects")).json()
        assert (await client.get("/config")).json() == {"compatibilityLevel": "BACKWARD"}
        assert (await client.get("/mode")).json() == {"mode": "READONLY"}


async def test_a_stranger_registers_a_partner_by_its_topic(stack: RunningStack) -> None:
    """With the registry and fastavro alone; a second time under the same id, and rubbish in between."""
    registry, mail, id = stack.endpoints["schema_registry"], f"{uuid4().hex}@example.org", str(uuid4())
    async with httpx.AsyncClient(timeout=30) as client:
        latest = (await client.get(f"{registry}/subjects/comando-crear-partner-value/versions/latest")).json()
        out = io.BytesIO()
        data = {"nombre": "Por tema", "email": mail, "telefono": "1", "direccion": None}
        values = {"id": id, "type": "ComandoCrearPartner", "service_name": "BFF Web", "data": data}
        schemaless_writer(out, parse_schema(orjson.loads(latest["schema"])), values)
        value = b"\0" + latest["id"].to_bytes(4, "big") + out.getvalue()
        producer = AIOKafkaProducer(bootstrap_servers=stack.endpoints["brokers"])
        await producer.start()
        try:
            for one in (value, b"rubbish", value):
                await producer.send_and_wait("comando-crear-partner", one, key=b"x")
        finally:
            await producer.stop()
        url = f"{stack.endpoints['gateways']['partner_alliances']}/api/v1/partners"

        async def registered() -> bool:
            return [one["email"] for one in (await client.get(url)).json()["partners"]].count(mail) == 1

        await eventually(registered, 30)

    async def parked() -> bool:
        return bool(await records_of(stack, "comando-crear-partner.dead-letters"))

    await eventually(parked)
    (record,) = await records_of(stack, "comando-crear-partner.dead-letters")
    assert not record.value, "a record that may hold a mail address is not kept"
    for topic in ("comando-crear-partner", "caudal.partner_alliances.integrations.commands"):
        sent = [one for one in await records_of(stack, topic) if mail.encode() in one.value]
        assert len(sent) == (2 if topic == "comando-crear-partner" else 0), "it is encrypted before the commands topic"
