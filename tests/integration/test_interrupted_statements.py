"""A statement that fails with a SQLSTATE that may pass is tried again at every door, and never becomes a final answer."""

import asyncio
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import httpx
import pytest

from aggregates.data_ingestion.validation import POLICIES
from command_api import app as command_app
from command_api.clock import now
from command_api.composition import make_handler, open_logs
from command_api.policies.runner import PolicyRunner
from command_api.policies.stores import policy_stores
from command_api.timer_clock import TimerClock
from query_api import app as query_app
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.engine.sagas import CONTEXT, AdvanceSaga, SagaInput
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from schemas.partner_alliances.contracts import ContractCreated
from schemas.system import ENGINE, ContextName
from streams.bounded_processes import BoundedProcesses
from streams.commands.known_commands import KnownCommands
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.installation import Installation
from streams.log.timers import Timers
from streams.settings import Settings
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.subscription import Subscription
from streams.telemetry.retrying import Backoff
from tests.conftest import eventually
from tests.integration.at_work import at_work
from tests.integration.running import Running
from tests.integration.workers import topic_worker
from tests.interrupted import PASSING, InterruptedDatabases, Moment

INGESTION, VALIDATION = (ContextName("data_ingestion", name) for name in ("ingestion", "validation"))
SAGAS, TERM = ContextName(ENGINE, CONTEXT), "partner_alliances.contract-term"
MIDNIGHT = datetime(2020, 2, 1, tzinfo=UTC)
POLICY = POLICIES[0].of("data_ingestion")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return installed_catalog(["data_ingestion", "partner_alliances"])


@pytest.fixture(params=["before", "after"])
def moment(request: pytest.FixtureRequest) -> Moment:
    found: Moment = request.param
    return found


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(_: Backoff, error: Exception, *, with_traceback: bool = False) -> None:
        await asyncio.sleep(0.01)

    monkeypatch.setattr(Backoff, "wait", wait)


def receive(n: int) -> CommandEnvelope[ReceiveData]:
    return CommandEnvelope(data=ReceiveData(partner_id="p", payload={"n": n}), id=uuid4(), at=now(), correlation_id="c")


async def received(settings: Settings, catalog: Catalog, databases: Databases, count: int) -> list[UUID]:
    """Handles commands about so many deliveries; returns the commands' ids."""
    handler = make_handler(settings, catalog, open_logs(settings, catalog, databases), databases, BoundedProcesses())
    return [(await handler.handle(receive(n))).command_id for n in range(count)]


async def test_a_command_over_http(
    settings: Settings, catalog: Catalog, databases: Databases, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted = InterruptedDatabases(moment, "caudal_writer", rounds=3)
    monkeypatch.setattr(command_app, "writer_databases", lambda _: interrupted)
    commands, statuses = 0, set[int]()
    transport = httpx.ASGITransport(command_app.make_app(settings, catalog))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        while not interrupted.are_used_up:
            headers, commands, status = {"X-Command-Id": str(uuid4())}, commands + 1, 503
            while status == 503:
                body = {"partner_id": "p", "payload": {"n": commands}}
                answer = await client.post("/commands/data_ingestion/receive-data", json=body, headers=headers)
                status = answer.status_code
                statuses.add(status)

    assert statuses <= {200, 201, 503}
    assert 503 in statuses
    assert (await open_logs(settings, catalog, databases)[INGESTION].head()).position == 2 * commands
    await interrupted.close()


async def test_a_command_by_topic(settings: Settings, catalog: Catalog, databases: Databases, moment: Moment) -> None:
    interrupted, sender = InterruptedDatabases(moment, rounds=2), CommandSender(settings, catalog)
    handler = make_handler(settings, catalog, open_logs(settings, catalog, interrupted), interrupted, BoundedProcesses())
    worker = topic_worker(settings, catalog, interrupted, handler)
    log, sent = open_logs(settings, catalog, databases)[INGESTION], list[UUID]()
    async with at_work(worker.run()):
        while not interrupted.are_used_up:
            commands = [receive(n) for n in range(10)]
            await sender.send([(INGESTION, command, str(command.id)) for command in commands])
            sent += [command.id for command in commands]

            async def answered(sent: list[UUID] = sent) -> bool:
                return len(await log.answers(sent)) == len(sent)

            await eventually(answered, 60)
    assert set((await log.answers(sent)).values()) == {None}, "each is accepted"
    assert (await log.head()).position == 2 * len(sent)
    await sender.close()
    await interrupted.close()


async def test_a_policy(settings: Settings, catalog: Catalog, databases: Databases, moment: Moment) -> None:
    interrupted, sender = InterruptedDatabases(moment, rounds=2), CommandSender(settings, catalog)
    logs, installation = open_logs(settings, catalog, interrupted), Installation(settings, catalog, interrupted)
    handler = make_handler(settings, catalog, open_logs(settings, catalog, databases), databases, BoundedProcesses())

    async def handle(command: CommandEnvelope[Command]) -> None:
        await handler.handle(command)

    runner = PolicyRunner(catalog, POLICY, logs, policy_stores(installation, POLICY), sender, handle, Turns())
    subscription = Subscription(settings, catalog, "policies", [runner], logs)
    relays, worker = Running(settings, catalog, databases).relays, topic_worker(settings, catalog, databases, handler)
    validation, count = open_logs(settings, catalog, databases)[VALIDATION], 0
    work = (subscription.run(), runner.confirm(), worker.run(), *(relay.run() for relay in relays))
    async with at_work(*work):
        while not interrupted.are_used_up or count == 0:
            count += len(await received(settings, catalog, databases, 5))
            for relay in relays:
                relay.wake()

            async def validated(count: int = count) -> bool:
                return (await validation.head()).position == count

            await eventually(validated, 60, f"{count} validations")
    for store in policy_stores(Installation(settings, catalog, databases), POLICY).values():
        assert await store.dead_letters.all() == []
    await sender.close()
    await interrupted.close()


@pytest.mark.parametrize("door", ["projection", "relay"])
async def test_a_projection_and_a_relay(
    settings: Settings, catalog: Catalog, databases: Databases, moment: Moment, door: str
) -> None:
    interrupted = InterruptedDatabases(moment, rounds=2)
    sound, tried = Running(settings, catalog, databases), Running(settings, catalog, interrupted)
    relays, projecting = (tried, sound) if door == "relay" else (sound, tried)
    count = 0
    async with at_work(projecting.subscription.run(), *(relay.run() for relay in relays.relays)):
        while not interrupted.are_used_up or count == 0:
            await sound.add(5)
            count += 5
            for relay in relays.relays:
                relay.wake()
            await sound.shows(count, 60)
    assert await sound.projector.store.dead_letters.all() == []
    assert await sound.is_verified()
    await interrupted.close()


async def test_timers(settings: Settings, catalog: Catalog, databases: Databases, moment: Moment) -> None:
    interrupted = InterruptedDatabases(moment, rounds=2)
    logs = open_logs(settings, catalog, databases)
    sound = make_handler(settings, catalog, logs, databases, BoundedProcesses())
    handler = make_handler(settings, catalog, open_logs(settings, catalog, interrupted), interrupted, BoundedProcesses())
    timers = [Timers(Store.of_log(each, settings.log_dsn(SAGAS), SAGAS)) for each in (databases, interrupted)]
    steps = 0
    known = KnownCommands(Store.of_log(interrupted, settings.log_dsn(SAGAS), SAGAS), {})
    async with at_work(TimerClock(timers[1], handler, [TERM], known, Turns()).run()):
        while not interrupted.are_used_up:
            await sound.handle(contract_created())
            steps += 2  # its creation, and its timer

            async def fired(steps: int = steps) -> bool:
                return await timers[0].due(now(), [TERM], 1) == [] and (await logs[SAGAS].head()).position == steps

            await eventually(fired, 60, "the timer")
    await interrupted.close()


def contract_created() -> CommandEnvelope[AdvanceSaga]:
    """Returns the command that starts a saga whose timer is due."""
    contract_id, day = uuid4(), date(2020, 1, 31)
    event = ContractCreated(contract_id=contract_id, partner_id=uuid4(), product="P", terms={}, starts_on=day, ends_on=day)
    input = SagaInput(kind="event", id=uuid4(), name="ContractCreated", at=MIDNIGHT, data=event.model_dump(mode="json"))
    command = AdvanceSaga(saga=TERM, key=str(contract_id), input=input)
    return CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c")


async def test_a_query(settings: Settings, catalog: Catalog, moment: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = InterruptedDatabases(moment, "caudal_reader")
    monkeypatch.setattr(query_app, "Databases", lambda *_: interrupted)
    transport = httpx.ASGITransport(query_app.make_app(settings, catalog))
    statuses = []
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        while not interrupted.are_used_up:
            statuses.append((await client.get("/query/partner/acme")).status_code)

    assert set(statuses) <= {200, 503}
    assert statuses.count(503) == len(PASSING)
