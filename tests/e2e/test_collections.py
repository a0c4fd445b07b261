"""The calls of the systems' own clients, unchanged: method, path, headers and body, and the answer that each of them reads."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from operator import getitem
from typing import Any
from uuid import uuid4

import httpx
import pytest

from streams.http.problems import PROBLEM_TYPE
from tests.conftest import eventually
from tests.stack import RunningStack


@dataclass(frozen=True)
class Call:
    """One call of a client and what it may rely on in the answer."""

    method: str
    path: str
    status: int
    answer: Any
    """A value, or the type of one; of a mapping its members, more are allowed; of a list the first element; or a plain text."""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    """Further names for later calls, with the members of the answer that they name: partner.id."""
    is_awaited: bool = False
    """Whether the answer follows from an earlier call some time later."""


KEPT = {"id", "user_id", "access_token"}
"""Members of an answer that later calls may name, as {id}."""
SIGNED_IN = {"Authorization": "Bearer {access_token}"}
OWN = {**SIGNED_IN, "user_id": "{user_id}"}
WRONG = {"username": "{name}", "password": "wrong-one"}
DELIVERY = {"id": str, "partner_id": str, "timestamp": str}
OBJECT = {"name": "Example Data", "age": 30, "attributes": {"key1": "value1", "key2": "value2"}}
ITEMS = {"items": [{"sku": "a-1", "quantity": 2}], "metadata": {"source": "api", "version": 1}}
INGESTION = (
    Call("GET", "/", 200, "Servicio de ingesta en ejecución"),
    Call("GET", "/health", 200, {"status": "up"}),
    Call("POST", "/ingest", 201, DELIVERY, {"partner_id": "partner123", "payload": OBJECT}),
    Call("POST", "/ingest", 201, DELIVERY, {"partner_id": "partner456", "payload": ITEMS}),
    Call("GET", "/query/{id}", 200, {**DELIVERY, "payload": dict}),
    Call("GET", "/query/partner/partner123", 200, [DELIVERY]),
    Call("GET", "/query/all", 200, [DELIVERY]),
    Call("POST", "/ingest", 400, {"error": "Se requieren 'partner_id' y 'payload'"}, {"partner_id": "partner123"}),
    Call("POST", "/ingest", 400, {"error": "Se requieren 'partner_id' y 'payload'"}),
    Call("POST", "/ingest", 400, {"error": "/partner_id Input should be a valid string"}, {"partner_id": 1, "payload": {}}),
    Call("GET", f"/query/{uuid4()}", 404, {"error": "Datos no encontrados"}),
    Call("GET", "/query/no-id", 404, {"error": "Datos no encontrados"}),
)


USER = {"username": "{name}", "password": "pass123", "role": 2}
RESULT = {"patient": "Paciente de Prueba", "result": "Resultado Positivo"}
MISSING_NAME, MISSING_RESULT = "Se requieren username y password", "Faltan campos requeridos: 'patient' y 'result'"
ENTRY = {"id": int, "topic": str, "event_type": str, "status": str, "data": dict, "created_at": str}
LABORATORY = (
    Call("GET", "/", 200, {"message": "BFF Running"}),
    Call("GET", "/health", 200, {"status": "ok"}),
    Call("POST", "/users", 201, {"id": int, "user_id": str, "username": str, "role": 2}, USER),
    Call("POST", "/users", 409, {"msg": "El usuario ya está registrado"}, USER),
    Call("POST", "/users", 400, {"msg": MISSING_NAME}, {"username": "x"}),
    Call("POST", "/users", 400, {"msg": MISSING_NAME}),
    Call("POST", "/users", 400, {"msg": "/color no se conoce"}, {**USER, "color": "red"}),
    Call("POST", "/login", 200, {"access_token": str}, {"username": "{name}", "password": "pass123"}),
    Call("GET", "/user-profile", 200, {"user": {"role": 2}, "certifications": {"role": 2, "allowed": True}}, headers=OWN),
    Call("GET", "/user-profile", 200, {"user": {"role": 2}}, headers={**SIGNED_IN, "user_id": "{id}"}),
    Call("GET", "/user-profile", 400, {"error": "User-Id header is required"}, headers=SIGNED_IN),
    Call("GET", "/validate", 200, {"allowed": True, "message": str}, headers=SIGNED_IN),
    Call("GET", "/validate", 401, {"allowed": False, "message": "Missing Authorization Header"}),
    Call("GET", "/notifications/health", 200, {"status": "ok"}),
    Call("GET", "/users", 200, [{"id": int, "user_id": str, "username": str, "role": int}]),
    Call("POST", "/results", 201, {"id": int, **RESULT}, RESULT, SIGNED_IN),
    Call("GET", "/results/{id}", 200, {"id": int, **RESULT}, headers=SIGNED_IN),
    Call("GET", "/saga/logs", 200, [ENTRY]),
    Call("GET", "/dashboard", 200, {"user": {"role": 2}, "items": [{"id": int, **RESULT}]}, headers=OWN),
    Call("GET", "/results/999999", 404, {"msg": "Resultado no encontrado"}, headers=SIGNED_IN),
    Call("POST", "/results", 400, {"msg": MISSING_RESULT}, {"patient": "x"}, SIGNED_IN),
    Call("POST", "/results", 401, {"msg": "Missing Authorization Header"}, RESULT),
    *(
        Call("POST", "/login", 401, {"error": "Usuario o contraseña incorrectos.", "intentos_restantes": left}, WRONG)
        for left in (4, 3, 2, 1, 0)
    ),
    Call("POST", "/login", 403, {"error": "IP bloqueada. Intenta más tarde.", "bloqueo_expira_en": int}, WRONG),
)

PARTNER = {"nombre": "jose", "email": "{name}@example.org", "telefono": "1234455678", "direccion": "cra 7"}
LISTED = {"id": str, "nombre": str, "email": str, "telefono": str, "estado": "ACTIVO", "estado_kyc": str, "fecha_creacion": str}
OF_ANY = {"email": object, "telefono": object, "estado": str}
"""Members that a partner of another client may lack, or have another value of."""
REGISTERED = {**LISTED, **PARTNER, "estado_kyc": "PENDIENTE"}
KYC = {"estado_kyc": "APROBADO", "documentos": {}, "comentarios": "Comentario"}
INTEGRATION = {"tipo": "API", "nombre": "Google Ads", "descripcion": "Cuenta de Google Ads", "configuracion": {}}
SHOWN_INTEGRATION = {
    **{name: INTEGRATION[name] for name in ("tipo", "nombre", "descripcion")},
    "activa": True,
    "fecha_revocacion": None,
}
REVOCATION = {"motivo": "Integracion se ha deshabilitado"}
CONTRACT = {
    "partner_id": "{partner}", "tipo": "CPA", "fecha_inicio": "2030-01-01", "fecha_fin": "2031-01-01",
    "monto": 1000.5, "moneda": "COP", "condiciones": "30 días",
}  # fmt: skip
AFFILIATION = {
    "afiliacion_id": "f1e2d3c4-b5a6-7890-1234-abcdefabcdef", "afiliado_id": "c1d2e3f4-5678-1234-5678-abcdefabcdef",
    "estado": "ACTIVA", "fecha_alta": "2025-09-05", "fecha_baja": None,
}  # fmt: skip
PROGRAM = {
    "programa_id": "e7b8c2e2-9c2a-4f7e-bb8e-1a2b3c4d5e6f", "estado": "ACTIVO", "tipo": "AFILIADOS",
    "brand_id": "a1b2c3d4-5678-1234-5678-abcdefabcdef", "vigencia_inicio": "2025-09-01", "vigencia_fin": "2026-09-01",
    "term_modelo": "CPA", "term_moneda": "COP", "term_tarifa_base": 1000.00, "term_tope": 5000.00,
    "afiliaciones": [AFFILIATION],
}  # fmt: skip
SHOWN_PROGRAM = {
    "programa_id": str, "estado": "ACTIVO", "tipo": "AFILIADOS", "brand_id": "a1b2c3d4-5678-1234-5678-abcdefabcdef",
    "vigencia": {"inicio": "2025-09-01", "fin": "2026-09-01"},
    "terminos": {"modelo": "CPA", "moneda": "COP", "tarifa_base": 1000.0, "tope": 5000.0},
    "creado_en": str, "modificado_en": str, "afiliaciones": [{**AFFILIATION, "programa_id": str, "creado_en": str}],
}  # fmt: skip
ONE = "/api/v1/partners/{partner}"


def failing(code: str) -> dict[str, Any]:
    return {"error": str, "codigo": code}


ALLIANCES = (
    Call("GET", "/ping", 200, "pong"),
    Call("GET", "/posts/ping", 200, "pong"),
    Call("GET", "/health", 200, {"status": "up", "db_status": "connected", "service": str}),
    Call("GET", "/spec", 200, {"openapi": str, "paths": dict}),
    Call("POST", "/api/v1/partners", 201, {"mensaje": str, "partner": REGISTERED}, PARTNER, keep={"partner": "partner.id"}),
    Call("POST", "/api/v1/partners", 409, failing("EMAIL_EXISTENTE"), PARTNER),
    Call("POST", "/api/v1/partners", 400, failing("DATOS_INVALIDOS"), {"nombre": "jose"}),
    Call("POST", "/api/v1/partners", 400, failing("DATOS_INVALIDOS")),
    Call("GET", "/api/v1/partners", 200, {"partners": [{**LISTED, **OF_ANY, "integraciones_count": int}], "total": int}),
    Call("GET", ONE, 200, {"partner": {**REGISTERED, "documentos_kyc": None, "integraciones": []}}),
    Call("GET", "/api/v1/partners//{partner}", 200, {"partner": REGISTERED}),
    Call("GET", f"/api/v1/partners/{uuid4()}", 404, failing("PARTNER_NO_ENCONTRADO")),
    Call("PUT", ONE, 200, {"mensaje": str, "partner": {**PARTNER, "estado": "ACTIVO", "fecha_actualizacion": str}}, PARTNER),
    Call("PUT", "/api/v1/partners//{partner}", 200, {"mensaje": str, "partner": {**PARTNER, "estado": "ACTIVO"}}, PARTNER),
    Call("PUT", ONE, 400, failing("DATOS_INVALIDOS"), {}),
    Call("PUT", f"/api/v1/partners/{uuid4()}", 404, failing("PARTNER_NO_ENCONTRADO"), PARTNER),
    Call("PUT", f"{ONE}/kyc", 200, {"mensaje": str, "partner": {"estado_kyc": "APROBADO", "documentos_kyc": {}}}, KYC),
    Call("PUT", f"{ONE}/kyc", 400, failing("ESTADO_KYC_INVALIDO"), {**KYC, "estado_kyc": "QUIZAS"}),
    Call("PUT", f"{ONE}/kyc", 400, failing("DATOS_INVALIDOS"), {}),
    Call(
        "POST", f"{ONE}/integraciones", 201, {"integracion": SHOWN_INTEGRATION}, INTEGRATION,
        keep={"integration": "integracion.id"},
    ),
    Call("POST", f"{ONE}/integraciones", 400, failing("TIPO_INTEGRACION_INVALIDO"), {**INTEGRATION, "tipo": "FAX"}),
    Call("GET", ONE, 200, {"partner": {"estado_kyc": "APROBADO", "integraciones": [SHOWN_INTEGRATION]}}),
    Call("PUT", f"{ONE}/revocar", 404, failing("INTEGRACION_NO_ENCONTRADA"), REVOCATION),
    Call(
        "PUT", "/api/v1/partners/integraciones/{integration}/revocar", 200,
        {"mensaje": str, "integracion_id": "{integration}", **REVOCATION}, REVOCATION,
    ),
    Call("PUT", "/integraciones/{integration}/revocar", 410, failing("INTEGRACION_YA_REVOCADA"), REVOCATION),
    Call("PUT", "/api/v1/partners/{integration}/revocar", 410, failing("INTEGRACION_YA_REVOCADA"), REVOCATION),
    Call("POST", "/compliance/register", 202, {}, {"partner_id": "38c4463e-0666-40c8-af27-fce6345025e8"}),
    Call("GET", "/compliance/check", 200, {"compliance": object}),
    Call("POST", "/posts", 422, {"error": str}, {}),
    Call("POST", "/posts", 422, {"error": "Partner no encontrado"}, {**CONTRACT, "partner_id": str(uuid4())}),
    Call("POST", "/programas", 400, {"error": str}, {}),
    Call("GET", f"/programas/{uuid4()}", 404, {"error": "No encontrado"}),
    Call("PUT", f"/contratos/{uuid4()}", 422, {"error": "No existe el contrato"}, {"estado": "ACTIVO"}),
    Call("PUT", "/contratos/nada", 404, {"error": "No existe el contrato"}, {"estado": "ACTIVO"}),
    Call("PUT", f"/contratos/{uuid4()}", 422, {"error": "necesita terminos, fecha_fin o estado"}, {}),
    Call("POST", "/posts/", 201, {"id": str, **CONTRACT, "estado": "inactivo"}, CONTRACT),
    Call("POST", "/programas", 200, SHOWN_PROGRAM, PROGRAM, keep={"programme": "programa_id"}),
    Call("GET", "/programas/{programme}", 200, SHOWN_PROGRAM),
    Call("DELETE", ONE, 200, {"mensaje": str, "partner_id": "{partner}"}),
    Call("DELETE", ONE, 410, failing("PARTNER_YA_ELIMINADO")),
    Call("PUT", ONE, 410, failing("PARTNER_ELIMINADO"), PARTNER),
    Call("GET", ONE, 410, failing("PARTNER_ELIMINADO")),
)  # fmt: skip


BFF = (
    Call("GET", "/ping", 200, "pong"),
    Call("POST", "/api/v1/partners", 202, {"message": "Evento de creación de partner publicado"}, PARTNER),
    Call("POST", "/api/v1/partners", 400, failing("DATOS_INVALIDOS"), {"nombre": "jose"}),
    Call("GET", "/api/v1/partners", 200, {"partners": list, "total": int}),
    Call("DELETE", "/api/v1/partners/x", 405, {"detail": str}),
)
LEG = {
    "fecha_salida": "2022-11-22T13:10:00Z", "fecha_llegada": "2022-11-22T15:10:00Z",
    "destino": {"codigo": "JFK", "nombre": "John F. Kennedy"}, "origen": {"codigo": "BOG", "nombre": "El Dorado"},
}  # fmt: skip
RESERVATION = {"itinerarios": [{"odos": [{"segmentos": [{"legs": [LEG]}]}]}]}
SHOWN_RESERVATION = {"fecha_creacion": str, "fecha_actualizacion": str, "id": str, "itinerarios": [{"odos": [dict]}]}
FLIGHTS = (
    Call("GET", "/health", 200, {"status": "up"}),
    Call("GET", "/spec", 200, {"openapi": str, "paths": dict}),
    Call("POST", "/vuelos/reserva", 200, SHOWN_RESERVATION, RESERVATION),
    Call("GET", "/vuelos/reserva/{id}", 200, SHOWN_RESERVATION, is_awaited=True),
    Call("GET", "/vuelos/reserva-query/{id}", 200, SHOWN_RESERVATION),
    Call("POST", "/vuelos/reserva-comando", 202, {}, RESERVATION),
    Call("POST", "/vuelos/reserva-commando", 202, {}, RESERVATION),
    Call("POST", "/vuelos/reserva", 400, {"error": "La lista de itinerarios debe tener al menos un itinerario"}, {}),
    Call("GET", f"/vuelos/reserva/{uuid4()}", 404, {"error": "No existe la reserva"}),
)
PACKET = {
    "entorno_clinico": "Clínico", "fecha_creacion": "2025-03-09T12:30:00Z", "fecha_actualizacion": "2025-03-09T12:30:00Z",
    "registro_de_diagnostico": {"region_anatomica": "Cabeza", "modalidad": "CT", "patologia": "Tumor"},
    "contexto_procesal": "Inicial", "notas_clinicas": "Nota", "data": {"examenes": ["Sangre"], "resultados": {"a": "b"}},
}  # fmt: skip
PATIENT = {
    "historial_paciente_id": "HC-1", "nombre_paciente": "Juan Pérez", "direccion_paciente": "Calle 1",
    "telefono_paciente": "3001234567", "img": "https://images.example/1.dcm",
}  # fmt: skip
PROCESSED = {"message": "Get request processed successfully"}
DATASETS = (
    *(Call("GET", f"/{path}", 200, PROCESSED) for path in ("anonimacion/test_anonimacion", "procesamiento/test_procesamiento")),
    Call(
        "POST", "/anonimacion/anonimizar_imagen", 200,
        {"message": "Se ha recibido la solicitud correctamente", "datos_recibidos": PATIENT | PACKET}, PATIENT | PACKET,
    ),
    Call("POST", "/mapear/create-parquet", 202, {}, {**PACKET, "token": "b5f4f9a6-7a3e-4c53-9a39-0d9cf0f2a111"}),
    Call(
        "GET", "/mapear/obtener-parquets", 200, [dict.fromkeys((*PACKET, "historial_paciente_id"), object)], is_awaited=True,
    ),
    Call("POST", "/procesamiento/crear-dataset-medico-comando", 202, {}, {**PACKET, "packet_id": "p1"}),
    Call("GET", "/procesamiento/datasets/p1", 200, {"id": "p1", "estado": "Finalizado", "modalidad": "CT"}, is_awaited=True),
    Call("POST", "/procesamiento/crear-dataset-medico-comando", 400, {"error": str}, PACKET),
)  # fmt: skip
SHORT = {"token": str, "fecha_creacion": str, "contexto_procesal": str}
SYSTEMS: Mapping[str, Sequence[Call]] = {
    "data_ingestion": INGESTION,
    "clinical_lab": LABORATORY,
    "partner_alliances": ALLIANCES,
    "partner_alliances.bff": BFF,
    "flight_reservations": FLIGHTS,
    "medical_datasets": DATASETS,
    "medical_datasets.bff_web": (
        Call("GET", "/obtener-parquets", 200, {"data": [{**SHORT, "notas_clinicas": str, "data": dict}]}, is_awaited=True),
    ),
    "medical_datasets.bff_mobile": (Call("GET", "/obtener-parquets", 200, {"data": [SHORT]}, is_awaited=True),),
}
"""The calls by the gateway that answers them."""


@pytest.mark.parametrize("gateway", SYSTEMS)
async def test_a_gateway_answers_its_clients(stack: RunningStack, gateway: str) -> None:
    known = {"name": f"u{uuid4().hex[:12]}"}
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"][gateway], timeout=30) as client:
        for call in SYSTEMS[gateway]:
            answer = await (answered(client, call, known) if call.is_awaited else sent(client, call, known))
            assert answer.status_code == call.status, (call, answer.text)
            if isinstance(call.answer, str):
                assert answer.text == call.answer
                continue
            assert answer.headers["content-type"] in ("application/json", PROBLEM_TYPE)
            assert_like(answer.json(), filled(call.answer, known))
            known.update({name: reduce(getitem, path.split("."), answer.json()) for name, path in call.keep.items()})
            if answer.status_code in (200, 201) and isinstance(answer.json(), dict):
                known.update({name: value for name, value in answer.json().items() if name in KEPT})


async def sent(client: httpx.AsyncClient, call: Call, known: Mapping[str, Any]) -> httpx.Response:
    """The answer to a call of a client that knows nothing of problem documents."""
    headers = {"Accept": "*/*", "Content-Type": "application/json"}
    headers |= {name: value.format(**known) for name, value in call.headers.items()}
    body = filled(call.body, known)
    return await client.request(call.method, call.path.format(**known), json=body, headers=headers)


async def answered(client: httpx.AsyncClient, call: Call, known: Mapping[str, Any]) -> httpx.Response:
    """The answer to a call, once it is as expected."""
    answer = httpx.Response(0)

    async def is_there() -> bool:
        nonlocal answer
        answer = await sent(client, call, known)
        return answer.status_code == call.status and is_like(answer.json(), filled(call.answer, known))

    await eventually(is_there, 30, str(call))
    return answer


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """Returns a value with what earlier answers held in the place of its names, as {id}; an empty object names nothing."""
    if isinstance(value, Mapping):
        return {name: filled(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, known) for inner in value]
    return value.format(**known) if isinstance(value, str) else value


def is_like(found: Any, expected: Any) -> bool:
    """Returns whether an answer has what is expected of it."""
    with suppress(AssertionError):
        assert_like(found, expected)
        return True
    return False


def assert_like(found: Any, expected: Any) -> None:
    """Fails if an answer lacks what is expected of it, or has another type in its place."""
    if isinstance(expected, type):
        assert isinstance(found, expected)
    elif isinstance(expected, Mapping):
        assert expected.keys() <= found.keys(), found
        for name, inner in expected.items():
            assert_like(found[name], inner)
    elif isinstance(expected, list):
        assert bool(found) == bool(expected), found
        for inner in expected:
            assert_like(found[0], inner)
    else:
        assert found == expected


async def test_a_registration_that_was_only_accepted_ends_as_a_partner_or_as_a_rejection(stack: RunningStack) -> None:
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["partner_alliances.bff"], timeout=30) as client:
        partner = {"nombre": "jose", "email": f"{uuid4().hex}@example.org"}
        registered = await outcome(client, await client.post("/api/v1/partners", json=partner))
        again = await outcome(client, await client.post("/api/v1/partners", json=partner))
        listed = {one["id"] for one in (await client.get("/api/v1/partners")).json()["partners"]}

    assert [(one["email"], one["estado"], one["motivo"]) for one in (registered, again)] == [
        (partner["email"], "ACTIVO", None),
        (None, "RECHAZADO", "Ya existe un partner con este email"),
    ]
    assert {registered["id"], again["id"]} & listed == {registered["id"]}


async def test_of_registrations_at_once_one_becomes_a_partner(stack: RunningStack) -> None:
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"]["partner_alliances.bff"], timeout=30) as client:
        partner = {"nombre": "jose", "email": f"{uuid4().hex}@example.org"}
        accepted = await asyncio.gather(*(client.post("/api/v1/partners", json=partner) for _ in range(4)))
        found = await asyncio.gather(*(outcome(client, one) for one in accepted))
        listed = {one["id"] for one in (await client.get("/api/v1/partners")).json()["partners"]}

    assert Counter((one["email"], one["estado"]) for one in found) == {(partner["email"], "ACTIVO"): 1, (None, "RECHAZADO"): 3}
    assert {one["id"] for one in found} & listed == {one["id"] for one in found if one["estado"] == "ACTIVO"}


async def outcome(client: httpx.AsyncClient, accepted: httpx.Response) -> dict[str, Any]:
    """Returns what a registration has become, once its `Location` shows it."""
    shown = httpx.Response(0)

    async def is_shown() -> bool:
        nonlocal shown
        shown = await client.get(accepted.headers["location"])
        return shown.status_code == 200

    await eventually(is_shown)
    partner: dict[str, Any] = shown.json()["partner"]
    return partner
