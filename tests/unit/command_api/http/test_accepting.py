"""Commands that are only accepted: sent to their topic in the form in which the worker takes them, and answered before that."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware

from aggregates.decision import Decision, Events
from aggregates.state import NoState
from aggregates.stream import Stream, StreamUse
from aggregates.system import Domain
from command_api.handling.activities import ActivityDependencies
from command_api.handling.handler import CommandHandler
from command_api.handling.validation import check_encrypted, validate_command
from command_api.http.accepting import Acceptance, check
from command_api.http.paths import KEY, AcceptedCommandPath, Made, Member, ReceiptField, Translation, UploadPath
from command_api.http.routes import CommandEndpoints
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.clients.dialect import Dialect
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured, Rejected, Unavailable
from schemas.message import Command, Event
from schemas.sensitive import Encrypted, Sensitive, is_encrypted
from schemas.system import Context, ContextName, System
from streams.bounded_processes import BoundedProcesses
from streams.database.pools import Databases
from streams.encryption.encryption import decrypt, encrypt
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.installation import Installation
from streams.log.memory import MemoryLog
from streams.security.access_control import AccessControl
from streams.settings import Settings

NAME, SUBJECT_KEY = ContextName("bank", "transfers"), b"k" * 32


class Transfer(Command, subject="account"):
    """Transfers money, some time after the answer."""

    account: str
    amount: int
    purpose: Annotated[str | None, Sensitive(max_length=50)] = None


class Freeze(Command, access=Access.to("officer")):
    """Freezes an account."""

    account: str


class Transferred(Event):
    amount: int
    purpose: Encrypted = None


class TransferRejected(Event):
    reason: str


class Aviso(BaseModel):
    """An error, in the words of the bank's clients."""

    aviso: str


ACCOUNT = Stream("account")


def transfer(command: CommandEnvelope[Transfer], _: NoState) -> Events:
    if command.data.amount > 100:
        yield TransferRejected(reason="there is not that much on the account")
    else:
        yield Transferred(amount=command.data.amount, purpose=command.data.purpose)


def begin(command: CommandEnvelope[Transfer]) -> Events:
    yield Transferred(amount=command.data.amount)


def freeze(_: CommandEnvelope[Freeze], __: NoState) -> Events:
    yield TransferRejected(reason="the account is frozen")


DECISIONS = (
    Decision(Transfer, ACCOUNT.create_or_change("account"), transfer),
    Decision(Freeze, ACCOUNT.create_or_change("account"), freeze),
)
CONTEXT = Context("transfers", commands=(Transfer, Freeze), events=(Transferred, TransferRejected))
PATHS = (
    AcceptedCommandPath("/transfers", Transfer, location="/accounts/{key}/transfers/{command_id}"),
    AcceptedCommandPath(
        "/cuentas/{account}/transferencias",
        Transfer,
        {"cuenta": KEY, "orden": ReceiptField.COMMAND_ID, "importe": Member("amount"), "estado": "ACEPTADA"},
        "PUT",
        Translation(None, lambda _, path: Transfer(account=path["account"], amount=5)),
        status=200,
        errors=Dialect(Aviso, lambda text, _: Aviso(aviso=text), statuses={"invalid": 400}),
    ),
    AcceptedCommandPath("/frozen", Freeze, lambda command, accepted: {"frozen": command.account, "by": accepted.key}),
)


class Keys:
    """One key for all subjects but one, which was erased."""

    async def encrypt(self, subject: str, texts: Mapping[str, str]) -> dict[str, str]:
        if subject == "erased":
            raise Rejected("the data subject was erased: none of its data can be stored")
        return {
            purpose: text if is_encrypted(text) else encrypt(text, SUBJECT_KEY, subject, purpose)
            for purpose, text in texts.items()
        }


class Topics:
    """A sender that keeps what it is given, or reports that no broker acknowledges."""

    def __init__(self) -> None:
        self.sent: list[tuple[ContextName, CommandEnvelope[Command], str]] = []
        self.is_down = False
        self.max_command_bytes = 2000

    async def send(self, commands: Sequence[tuple[ContextName, CommandEnvelope[Command], str]]) -> None:
        if self.is_down:
            raise Unavailable("no broker acknowledges")
        self.sent += commands


class Bank(httpx.AsyncClient):
    """A client of a command API without a database, and what it sent to topics."""

    def __init__(self) -> None:
        catalog, databases = Catalog.of([System("bank", (CONTEXT,))]), Databases(None, 1)
        settings = Settings(profile="seed", max_body_bytes=100_000)
        self.topics = Topics()
        dependencies = ActivityDependencies(settings, Keys(), BoundedProcesses())  # type: ignore[arg-type]
        self.handler = CommandHandler(catalog, {"bank": Domain(DECISIONS)}, {NAME: MemoryLog(NAME)}, dependencies=dependencies)
        access = AccessControl(Installation(settings, catalog, databases))
        acceptance = Acceptance(self.handler, self.topics)  # type: ignore[arg-type]
        others: Any = (None, acceptance, None)
        endpoints = CommandEndpoints(settings, catalog, self.handler, {}, access, *others)
        app = Starlette(
            routes=list(endpoints.routes({"bank": PATHS})),
            middleware=[Middleware(Observed)],
            exception_handlers=EXCEPTION_HANDLERS,
        )
        super().__init__(transport=httpx.ASGITransport(app), base_url="http://test")

    async def transfer(
        self, amount: int = 5, account: str = "ana", purpose: str | None = None, **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.post("/transfers", json={"account": account, "amount": amount, "purpose": purpose}, headers=named)

    async def handle_sent(self) -> None:
        """Handles what was sent, as the worker reads it from the topic."""
        for _, sent, _ in self.topics.sent:
            data = check_encrypted(validate_command(sent.data.model_dump(mode="json"), type(sent.data)))
            await self.handler.handle(CommandEnvelope(data=data, id=sent.id, at=sent.at, correlation_id=sent.correlation_id))


@pytest.fixture
async def bank() -> AsyncIterator[Bank]:
    async with Bank() as made:
        yield made


async def test_an_accepted_command_is_sent_keyed_by_its_stream(bank: Bank) -> None:
    answer = await bank.transfer(x_actor="eva", x_correlation_id="c1")

    ((context, command, key),) = bank.topics.sent
    assert (answer.status_code, answer.json()) == (202, {})
    assert answer.headers["command-id"] == str(command.id)
    assert answer.headers["location"] == f"/accounts/ana/transfers/{command.id}"
    assert {"etag", "consistency-token", "idempotent-replayed"}.isdisjoint(answer.headers)
    assert (context, key, command.data) == (NAME, "account-ana", Transfer(account="ana", amount=5))
    assert (command.actor, command.correlation_id) == ("eva", "c1")


async def test_sensitive_texts_are_encrypted_before_they_are_sent(bank: Bank) -> None:
    await bank.transfer(purpose="for the ransom")

    ((_, command, _),) = bank.topics.sent
    assert isinstance(command.data, Transfer)
    assert command.data.purpose is not None
    assert is_encrypted(command.data.purpose)
    assert decrypt(command.data.purpose, SUBJECT_KEY) == "for the ransom"
    assert "ransom" not in command.data.model_dump_json()
    await bank.handle_sent()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"account": "ana"}, 422, "invalid"),
        ({"account": "ana", "amount": "much"}, 422, "invalid"),
        ({"account": "ana", "amount": 5, "purpose": "x" * 51}, 422, "invalid"),
        ({"account": "ana", "amount": 5, "purpose": "encrypted:1:ana:AAAA"}, 422, "invalid"),
        ({"account": "erased", "amount": 5, "purpose": "rent"}, 422, "rejected"),
        ({"account": "a" * 2000, "amount": 5}, 413, "too-large"),
    ],
)
async def test_what_the_worker_could_not_take_is_rejected_at_once(
    bank: Bank, body: Mapping[str, Any], status: int, kind: str
) -> None:
    answer = await bank.post("/transfers", json=body)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:caudal:problem:{kind}")
    assert not bank.topics.sent


async def test_without_a_broker_the_client_sends_it_again(bank: Bank) -> None:
    bank.topics.is_down = True

    answer = await bank.transfer()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "command-id" not in answer.headers


async def test_a_key_gives_a_repeat_the_same_command_id(bank: Bank) -> None:
    first, again = [await bank.transfer(idempotency_key="k") for _ in range(2)]

    (one, other) = (command for _, command, _ in bank.topics.sent)
    assert first.headers["command-id"] == again.headers["command-id"] == str(one.id)
    assert one.data == other.data
    assert one.id == other.id
    await bank.handle_sent()  # the second one meets the receipt of the first


@pytest.mark.parametrize("amount", [5, 500])
async def test_a_repeat_of_a_handled_command_is_not_sent_again(bank: Bank, amount: int) -> None:
    id = str(uuid4())
    first = await bank.transfer(amount, x_command_id=id, purpose="rent")
    await bank.handle_sent()

    again = await bank.transfer(amount, x_command_id=id, purpose="rent")
    other = await bank.transfer(amount + 1, x_command_id=id, purpose="rent")

    assert (again.status_code, again.content, again.headers["location"]) == (202, first.content, first.headers["location"])
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["type"]) == (422, "urn:caudal:problem:key-reused")
    assert len(bank.topics.sent) == 1


@pytest.mark.parametrize("header", [{"If-Match": "*"}, {"If-Match": '"3"'}, {"If-None-Match": "*"}])
async def test_no_version_can_be_expected(bank: Bank, header: Mapping[str, str]) -> None:
    answer = await bank.post("/transfers", json={"account": "ana", "amount": 5}, headers=header)

    assert answer.status_code == 422
    assert answer.json()["detail"] == "If-Match and If-None-Match are not supported for commands that are only accepted"
    assert not bank.topics.sent


async def test_a_batch_is_not_taken(bank: Bank) -> None:
    lines = b'{"command": {"account": "b", "amount": 1}}\n'

    answer = await bank.post("/transfers", content=lines, headers={"Content-Type": "application/x-ndjson"})

    assert answer.status_code == 415


async def test_a_path_answers_in_its_clients_words(bank: Bank) -> None:
    answer = await bank.put("/cuentas/luz%20b/transferencias")
    failed = await bank.put("/cuentas/luz/transferencias", headers={"If-Match": "*"})

    ((_, command, key),) = bank.topics.sent
    assert answer.status_code == 200
    assert answer.json() == {"cuenta": "luz b", "orden": str(command.id), "importe": 5, "estado": "ACEPTADA"}
    assert key == "account-luz b"
    assert "location" not in answer.headers
    assert (failed.status_code, list(failed.json())) == (400, ["aviso"])


async def test_the_access_to_the_command_is_needed(bank: Bank) -> None:
    answer = await bank.post("/frozen", json={"account": "ana"})

    assert answer.status_code == 401
    assert not bank.topics.sent


@pytest.mark.parametrize(
    ("target", "why"),
    [
        (ACCOUNT.change("account"), "the use of Stream\\('account'\\) by its decision rejects it without an event"),
        (ACCOUNT.create("account"), "the use of Stream\\('account'\\) by its decision rejects it without an event"),
        (ACCOUNT.create_or_change("account"), None),
        (ACCOUNT.create(), None),
    ],
)
def test_a_decision_whose_streams_reject_a_command_is_found_at_start(target: StreamUse[Any], why: str | None) -> None:
    domains = {"bank": Domain((Decision(Transfer, target, transfer if target.passes_state else begin),))}
    catalog = Catalog.of([System("bank", (CONTEXT,))])

    if why is None:
        check(catalog, {"bank": PATHS[:1]}, domains)
        return
    with pytest.raises(Misconfigured, match=why):
        check(catalog, {"bank": PATHS[:1]}, domains)


def test_a_context_that_requires_versions_has_no_accepting_path() -> None:
    context = Context("transfers", commands=(Transfer,), events=(Transferred,), requires_expected_version=True)

    with pytest.raises(Misconfigured, match=r"no expected version can be stated for it, which bank\.transfers requires"):
        check(Catalog.of([System("bank", (context,))]), {"bank": PATHS[:1]}, {"bank": Domain(DECISIONS[:1])})


class Other(Command):
    """A command of another context."""


@pytest.mark.parametrize(
    ("contexts", "why"),
    [
        ((Context("transfers", commands=(Transfer,), requires_expected_version=True),), "no expected version can be stated"),
        ((Context("transfers", commands=(Transfer,)), Context("others", commands=(Other,))), "makes commands of 2 contexts"),
    ],
)
def test_a_path_with_uploads_makes_commands_of_one_context_without_expected_versions(
    contexts: tuple[Context, ...], why: str
) -> None:
    made = {command: Made(201, BaseModel) for context in contexts for command in context.commands}
    path = UploadPath("/files", made, BaseModel, None, None, ("application/pdf",))  # type: ignore[arg-type]

    with pytest.raises(Misconfigured, match=why):
        check(Catalog.of([System("bank", contexts)]), {"bank": (path,)}, {})
