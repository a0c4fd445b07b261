"""The calls of the systems' own clients, unchanged: method, path, headers and body, and the answer that each of them reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.conftest import eventually
from tests.stack import RunningStack


@dataclass(frozen=True)
class Call:
    """One call of a client and what it may rely on in the answer."""

    method: str
    path: str
    status: int
    answer: Any
    """A value, or the type of one; of a mapping its members, more are allowed; of a list the first element."""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


DELIVERY = {"id": str, "partner_id": str, "timestamp": str}
OBJECT = {"name": "Example Data", "age": 30, "attributes": {"key1": "value1", "key2": "value2"}}
ITEMS = {"items": [{"sku": "a-1", "quantity": 2}], "metadata": {"source": "api", "version": 1}}
INGESTION = (
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


async def test_data_ingestion_answers_its_clients(stack: RunningStack) -> None:
    known: dict[str, str] = {}
    for call in INGESTION:
        client = stack.commands if call.method == "POST" else stack.queries

        async def is_answered(call: Call = call, client: httpx.AsyncClient = client) -> bool:
            return (await sent(client, call, known)).status_code == call.status

        if call.method == "GET":
            await eventually(is_answered)  # the client sends no token: the view may not have seen the write yet
        answer = await sent(client, call, known)
        assert answer.status_code == call.status, (call, answer.text)
        assert answer.headers["content-type"] == "application/json"
        assert_like(answer.json(), call.answer)
        if call.status == 201:
            known["id"] = answer.json()["id"]


async def sent(client: httpx.AsyncClient, call: Call, known: Mapping[str, str]) -> httpx.Response:
    """The answer to a call of a client that knows nothing of problem documents."""
    headers = {"Accept": "*/*", "Content-Type": "application/json", **call.headers}
    return await client.request(call.method, call.path.format(**known), json=call.body, headers=headers)


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
