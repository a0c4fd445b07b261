"""The command API's answers, from request to response, on the log in memory."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware

from aggregates.decision import Decision, Events
from aggregates.state import NoState
from aggregates.stream import Stream
from aggregates.system import Domain
from command_api.handling.activities import ActivityContext
from command_api.handling.handler import CommandHandler
from command_api.handling.passwords import Passwords
from command_api.http.accepting import Acceptance
from command_api.http.body import JSON
from command_api.http.gateway import CommandGateway, SignIns
from command_api.http.paths import CommandPath, Made, Translation, UploadContext, UploadPath
from command_api.http.routes import CommandEndpoints
from schemas.catalog import Catalog
from schemas.clients.dialect import LACKING, Dialect
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.message import Command, Event
from schemas.system import Context, ContextName, System
from streams.bounded_processes import BoundedProcesses
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.encryption.subject_keys import SubjectKeys
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.installation import Installation
from streams.log.memory import MemoryLog
from streams.security.access_control import AccessControl
from streams.security.sign_in_limits import SignInLimits
from streams.security.tokens import TokenIssuer
from streams.settings import Settings


class Withdraw(Command):
    account: str
    amount: int


class Close(Command):
    account: str


class Withdrawn(Event):
    amount: int


ACCOUNT = Stream("account")


def withdraw(command: CommandEnvelope[Withdraw], _: NoState) -> Events:
    if command.data.amount > 100:
        raise Rejected("there is not that much on the account")
    yield Withdrawn(amount=command.data.amount)


def close(command: CommandEnvelope[Close], _: NoState) -> Events:
    yield Withdrawn(amount=0)


class Aviso(BaseModel):
    """An error, in the words of the bank's clients."""

    aviso: str


class Retiro(BaseModel):
    importe: int


class Order(BaseModel):
    orden: str
    id: str


class Recibo(BaseModel):
    cuenta: str


async def read(recibo: Recibo, file: bytes, upload: UploadContext) -> Command:
    """Withdraws as much as the file says, unless it says something else."""
    READ.append((file, upload.is_repeat))
    return Withdraw(account=recibo.cuenta, amount=int(file)) if file.isdigit() else Close(account=recibo.cuenta)


READ: list[tuple[bytes, bool]] = []
DIALECT = Dialect(
    Aviso,
    lambda text, _: Aviso(aviso=text),
    statuses={"invalid": 400, "malformed": 400},
    texts={LACKING: "Se requiere el importe", "rejected": lambda error: f"Rechazado: {error.detail}"},
)
PATHS = (
    CommandPath(
        "/cuentas/{cuenta}/retiros",
        Withdraw,
        {"estado": "RECIBIDO"},
        translation=Translation(Retiro, lambda body, path: Withdraw(account=path["cuenta"], amount=body.importe)),
        status=202,
        media_types=(*JSON, "", "aplication/json"),
        errors=DIALECT,
    ),
    CommandPath(
        "/cuentas/{cuenta}",
        Withdraw,
        {},
        "DELETE",
        Translation(None, lambda _, path: Withdraw(account=path["cuenta"], amount=0)),
        errors=DIALECT,
    ),
    CommandPath(
        "/cuentas/{cuenta}",
        Withdraw,
        {"estado": "CAMBIADO"},
        "PUT",
        Translation(Retiro, lambda body, path: Withdraw(account=path["cuenta"], amount=body.importe)),
    ),
    UploadPath(
        "/cuentas/recibos",
        {Withdraw: Made(201, Order), Close: Made(202, Order)},
        Recibo,
        read,
        lambda command, receipt, _: {"orden": type(command).__name__, "id": receipt.key},
        media_types=("application/pdf",),
        errors=DIALECT,
    ),
)
DECISIONS = (
    Decision(Withdraw, ACCOUNT.create_or_change("account"), withdraw),
    Decision(Close, ACCOUNT.create_or_change("account"), close),
)


@pytest.fixture(params=[False, True], ids=["lenient", "careful"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    context = Context("accounts", commands=(Withdraw, Close), events=(Withdrawn,), requires_expected_version=request.param)
    catalog, name = Catalog.of([System("bank", (context,))]), ContextName("bank", "accounts")
    handler = CommandHandler(catalog, {"bank": Domain(DECISIONS)}, {name: MemoryLog(name)})
    settings, databases = Settings(profile="seed", max_file_bytes=100), Databases(None, 1)
    sign_ins = SignIns(SignInLimits(settings, databases), Passwords())
    gateway = CommandGateway(handler, SubjectKeys(settings, databases), TokenIssuer(settings), sign_ins)
    app = Starlette(
        routes=list(
            CommandEndpoints(
                settings,
                catalog,
                handler,
                {},
                AccessControl(Installation(settings, catalog, databases)),
                gateway,
                Acceptance(handler, CommandSender(settings, catalog)),
                ActivityContext(settings, SubjectKeys(settings, databases), handler.load, BoundedProcesses()),
            ).routes({"bank": PATHS})
        ),
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test/commands/bank/") as made:
        made.careful = request.param  # type: ignore[attr-defined]
        yield made


async def post(client: httpx.AsyncClient, amount: int = 5, account: str = "a", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("withdraw", json={"account": account, "amount": amount}, headers=named)


async def test_a_stream_that_must_be_there_or_must_not(client: httpx.AsyncClient) -> None:
    assert (await post(client, if_match="*")).status_code == 412
    assert (await post(client, if_none_match="*")).status_code == 201
    assert (await post(client, if_none_match="*")).status_code == 412
    assert (await post(client, if_match="*")).status_code == 200
    assert (await post(client, if_match='"1"')).status_code == 412
    assert (await post(client, if_match='"2"')).headers["etag"] == '"3"'
    assert (await post(client, if_match='"3"', if_none_match="*")).status_code == 400


async def test_a_careful_context_takes_no_command_without_an_expectation(client: httpx.AsyncClient) -> None:
    answer = await post(client)
    lines = b'{"command": {"account": "b", "amount": 1}}\n{"command": {"account": "c", "amount": 1}, "if_none_match": "*"}\n'
    batch = await client.post("withdraw", content=lines, headers={"Content-Type": "application/x-ndjson"})

    careful = client.careful  # type: ignore[attr-defined]
    assert answer.status_code == (428 if careful else 201)
    if careful:
        assert answer.json()["type"] == "urn:caudal:problem:precondition-required"
    assert [line.split(b",", 1)[0] if b'"type"' not in line else b"428" for line in batch.content.splitlines()] == [
        b"428" if careful else b'{"status":201',
        b'{"status":201',
    ]


@pytest.mark.parametrize("amount", [5, 500])
async def test_the_first_answer_is_repeated_byte_for_byte(client: httpx.AsyncClient, amount: int) -> None:
    key = str(uuid4())
    first = await post(client, amount, if_none_match="*", idempotency_key=key, x_correlation_id="one")
    await post(client, 5, account="other", if_none_match="*")

    again = await post(client, amount, if_none_match="*", idempotency_key=key, x_correlation_id="two")
    other = await post(client, amount + 1, if_none_match="*", idempotency_key=key)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["x-correlation-id"] == "two"
    assert again.headers.get("etag") == first.headers.get("etag")
    assert again.headers.get("consistency-token") == first.headers.get("consistency-token")
    assert (other.status_code, other.json()["type"]) == (422, "urn:caudal:problem:key-reused")


async def test_a_command_may_bring_its_own_id(client: httpx.AsyncClient) -> None:
    id = str(uuid4())
    first = await post(client, if_none_match="*", x_command_id=id)

    assert (first.status_code, first.json()["command_id"]) == (201, id)
    assert (await post(client, if_none_match="*", x_command_id=id)).content == first.content
    assert (await post(client, 7, if_none_match="*", x_command_id=id)).status_code == 422
    assert (await post(client, if_match="*", x_command_id=id, idempotency_key="k")).status_code == 400
    assert (await post(client, if_match="*", x_command_id="no-id")).status_code == 400


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        (b'{"importe": 5}', 202, {"estado": "RECIBIDO"}),
        (b"", 400, {"aviso": "Se requiere el importe"}),
        (b"{}", 400, {"aviso": "Se requiere el importe"}),
        (b'{"importe": "a"}', 400, {"aviso": "/importe Input should be a valid integer, unable to parse string as an integer"}),
        (b'{"importe": 500}', 422, {"aviso": "Rechazado: there is not that much on the account"}),
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "aplication/json; charset=utf-8", None])
async def test_an_own_path_answers_in_its_clients_words(
    client: httpx.AsyncClient, body: bytes, status: int, answer: dict[str, str], media_type: str | None
) -> None:
    headers = {"If-None-Match": "*"} | ({} if media_type is None else {"Content-Type": media_type})

    found = await client.post("http://test/cuentas/ana/retiros", content=body, headers=headers)

    assert (found.status_code, found.json(), found.headers["content-type"]) == (status, answer, "application/json")
    assert found.headers.get("vary") == (None if status == 202 else "Accept")


async def test_a_client_may_ask_for_problem_documents(client: httpx.AsyncClient) -> None:
    headers = {"Accept": "application/problem+json, application/json", "If-None-Match": "*"}

    found = await client.post("http://test/cuentas/ana/retiros", json={}, headers=headers)
    foreign = await client.post(
        "http://test/cuentas/ana/retiros", content=b"a", headers={**headers, "Content-Type": "text/plain"}
    )

    assert (found.status_code, found.headers["content-type"]) == (422, "application/problem+json")
    assert found.json()["errors"] == [{"pointer": "/importe", "detail": "Field required"}]
    assert foreign.status_code == 415


@pytest.mark.parametrize("body", [None, b"no JSON"])
async def test_a_path_without_a_body_reads_none(client: httpx.AsyncClient, body: bytes | None) -> None:
    found = await client.request("DELETE", "http://test/cuentas/ana", content=body, headers={"If-None-Match": "*"})

    assert (found.status_code, found.json()) == (201, {})


async def test_a_path_with_two_methods_allows_both(client: httpx.AsyncClient) -> None:
    new = {"If-None-Match": "*"}
    changed = await client.put("http://test/cuentas/a", json={"importe": 5}, headers=new)
    deleted = await client.delete("http://test/cuentas/b", headers=new)
    other = await client.patch("http://test/cuentas/a")

    assert (changed.json(), deleted.json(), other.status_code) == ({"estado": "CAMBIADO"}, {}, 405)
    assert set(other.headers["allow"].split(", ")) == {"PUT", "DELETE"}


async def upload(client: httpx.AsyncClient, file: bytes, query: str = "?cuenta=ana", **headers: str) -> httpx.Response:
    named = {"Content-Type": "application/pdf", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await client.post(f"http://test/cuentas/recibos{query}", content=file, headers=named)


async def test_a_file_makes_a_command_which_may_be_repeated(client: httpx.AsyncClient) -> None:
    if client.careful:  # type: ignore[attr-defined]
        pytest.skip("a process with uploads to a context that requires an expected version does not start")
    READ.clear()
    key = uuid4().hex

    first, again = [await upload(client, b"5", idempotency_key=key) for _ in range(2)]

    assert (first.status_code, first.json()) == (201, {"orden": "Withdraw", "id": "ana"})
    assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first.json(), "true")
    assert READ == [(b"5", False), (b"5", True)]
    assert (await upload(client, b"6", idempotency_key=key)).status_code == 422
    closed = await upload(client, b"close")
    assert (closed.status_code, closed.json()["orden"]) == (202, "Close")


@pytest.mark.parametrize(
    ("file", "query", "headers", "status"),
    [
        (b"5", "", {}, 400),
        (b"1" * 101, "?cuenta=ana", {}, 413),
        (b"5", "?cuenta=ana", {"Content_Type": "text/plain"}, 415),
        (b"5", "?cuenta=ana", {"Content_Encoding": "gzip"}, 415),
        (b"5", "?cuenta=ana", {"if_match": "*"}, 400),
        (b"500", "?cuenta=ana", {}, 422),
    ],
)
async def test_a_file_that_is_not_taken_is_answered_in_the_clients_words(
    client: httpx.AsyncClient, file: bytes, query: str, headers: dict[str, str], status: int
) -> None:
    answer = await upload(client, file, query, **headers)

    assert answer.status_code == status
    assert answer.json().keys() == {"aviso"}
