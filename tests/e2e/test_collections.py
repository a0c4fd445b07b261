"""The calls of the systems' own clients, unchanged: method, path, headers and body, and the answer that each of them reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest

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


SYSTEMS: Mapping[str, Sequence[Call]] = {"data_ingestion": INGESTION, "clinical_lab": LABORATORY}
"""The calls by the gateway that answers them."""


@pytest.mark.parametrize("gateway", SYSTEMS)
async def test_a_gateway_answers_its_clients(stack: RunningStack, gateway: str) -> None:
    known = {"name": f"u{uuid4().hex[:12]}"}
    async with httpx.AsyncClient(base_url=stack.endpoints["gateways"][gateway], timeout=30) as client:
        for call in SYSTEMS[gateway]:
            answer = await sent(client, call, known)
            assert answer.status_code == call.status, (call, answer.text)
            if isinstance(call.answer, str):
                assert answer.text == call.answer
                continue
            assert answer.headers["content-type"] == "application/json"
            assert_like(answer.json(), call.answer)
            if answer.status_code in (200, 201) and isinstance(answer.json(), dict):
                known.update({name: value for name, value in answer.json().items() if name in KEPT})


async def sent(client: httpx.AsyncClient, call: Call, known: Mapping[str, Any]) -> httpx.Response:
    """The answer to a call of a client that knows nothing of problem documents."""
    headers = {"Accept": "*/*", "Content-Type": "application/json"}
    headers |= {name: value.format(**known) for name, value in call.headers.items()}
    body = call.body
    if isinstance(body, dict):
        body = {name: value.format(**known) if isinstance(value, str) else value for name, value in body.items()}
    return await client.request(call.method, call.path.format(**known), json=body, headers=headers)


def assert_like(found: Any, expected: Any) -> None:
    """Fails if an answer lacks what is expected of it, or has another type in its place."""
    if isinstance(expected, type):
        assert isinstance(found, expected)
    elif isinstance(expected, Mapping):
        assert expected.keys() <= found.keys(), found
        for name, inner in expected.items():
            assert_like(found[name], inner)
    elif isinstance(expected, list):
        assert_like(found[0], expected[0])
    else:
        assert found == expected
