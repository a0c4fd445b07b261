"""Timers of sagas: each fires once, however many workers look, through outages, and during each operation on the views."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from aggregates.sagas.saga import saga_id
from command_api.composition import make_handler, open_logs
from command_api.handling.handler import CommandHandler
from command_api.timer_clock import TimerClock
from schemas.catalog import Catalog
from schemas.engine.sagas import CONTEXT, AdvanceSaga, CancelSaga, CommandOutcome, SagaAdvanced, SagaInput
from schemas.envelope import CommandEnvelope
from schemas.partner_alliances.contracts import ContractCreated
from schemas.system import ENGINE, ContextName
from schemas.values.times import EARLIEST
from streams.bounded_processes import BoundedProcesses
from streams.commands.known_commands import KnownCommands
from streams.database.pools import Databases
from streams.database.store import Store, log_schema, views_schema
from streams.discovery import installed_catalog
from streams.log.appending import AppendablePostgresLog
from streams.log.stored_events import decode
from streams.log.timers import Timer, Timers
from streams.settings import Settings
from streams.subscriptions.process_deaths.turns import Turns
from tests.verify import every_event

TERM = "partner_alliances.contract-term"
SAGAS = ContextName(ENGINE, CONTEXT)
LAST_DAY = date(2020, 1, 31)
MIDNIGHT = datetime(2020, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return installed_catalog(["partner_alliances"])


class Terms:
    """Contracts whose terms run, and clocks that can be set, each with a handler of its own as each worker has one."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self.settings, self.catalog, self.databases = settings, catalog, databases
        self.logs = open_logs(settings, catalog, databases)
        self.handler: CommandHandler = make_handler(settings, catalog, self.logs, databases, BoundedProcesses())
        store = Store.of_log(databases, settings.log_dsn(SAGAS), SAGAS)
        self.timers, self.known = Timers(store), KnownCommands(store, {})
        self.clocks = [self.clock() for _ in range(3)]

    def clock(self) -> TimerClock:
        """The clock of one more worker."""
        logs = open_logs(self.settings, self.catalog, self.databases)
        return TimerClock(
            self.timers,
            make_handler(self.settings, self.catalog, logs, self.databases, BoundedProcesses()),
            [TERM],
            self.known,
            Turns(),
        )

    @property
    def log(self) -> AppendablePostgresLog:
        return self.logs[SAGAS]

    async def contract(self) -> str:
        """A contract is created; returns its saga."""
        contract_id = uuid4()
        event = ContractCreated(
            contract_id=contract_id, partner_id=uuid4(), product="P", terms={}, starts_on=LAST_DAY, ends_on=LAST_DAY
        )
        input = SagaInput(kind="event", id=uuid4(), name="ContractCreated", at=MIDNIGHT, data=event.model_dump(mode="json"))
        await self.issue(AdvanceSaga(saga=TERM, key=str(contract_id), input=input))
        return saga_id(TERM, str(contract_id))

    async def issue(self, command: AdvanceSaga | CancelSaga) -> None:
        id: UUID = uuid4()
        await self.handler.handle(CommandEnvelope(data=command, id=id, at=datetime.now(UTC), correlation_id=str(id)))

    async def due(self, at: datetime) -> Sequence[Timer]:
        return await self.timers.due(at, [TERM], 100)

    async def fired(self) -> list[SagaAdvanced]:
        """The steps that timers led to."""
        recorded = [decode(row, SAGAS, self.catalog).data for row in await every_event(self.log)]
        return [step for step in recorded if isinstance(step, SagaAdvanced) and step.input.kind == "timer"]


@pytest.fixture
async def terms(settings: Settings, catalog: Catalog, databases: Databases) -> Terms:
    return Terms(settings, catalog, databases)


async def test_each_fires_once_however_many_workers_look_and_however_often(terms: Terms) -> None:
    for _ in range(20):
        await terms.contract()

    assert await terms.due(MIDNIGHT - timedelta(seconds=1)) == []
    for _ in range(2):
        await asyncio.gather(*(clock.fire_due(MIDNIGHT) for clock in terms.clocks))

    fired = await terms.fired()
    assert len(fired) == 20
    assert all([sent.command for sent in step.sent] == ["expire-contract"] for step in fired)
    assert await terms.due(MIDNIGHT) == []


async def test_a_timer_is_set_and_cancelled_in_the_transaction_of_its_step(terms: Terms) -> None:
    saga = await terms.contract()
    (timer,) = await terms.due(MIDNIGHT)
    assert (timer.stream, timer.name, timer.due_at, timer.saga) == (f"saga-{saga}", "last-day", MIDNIGHT, TERM)

    await terms.issue(CancelSaga(saga_id=saga, reason="why"))

    assert await terms.due(MIDNIGHT) == []
    await terms.clocks[0].fire_due(MIDNIGHT)
    assert await terms.fired() == []


async def test_a_timer_that_was_cancelled_while_it_fired_is_ignored(terms: Terms) -> None:
    saga = await terms.contract()
    (timer,) = await terms.due(MIDNIGHT)
    await terms.issue(CancelSaga(saga_id=saga, reason="why"))

    await terms.clocks[0]._fire(timer)

    assert await terms.fired() == []


async def test_a_timer_that_a_clock_that_was_ahead_fired_too_early_fires_again_at_its_time(terms: Terms) -> None:
    await terms.contract()
    (timer,) = await terms.due(MIDNIGHT)
    await terms.clocks[0].fire_due(MIDNIGHT)
    early = MIDNIGHT - timedelta(days=90)
    outcome = SagaInput(kind="outcome", id=uuid4(), name="expire-contract", at=early)
    rejected = CommandOutcome(number=1, rejection="the contract has days to come", kind="rejected")
    await terms.issue(AdvanceSaga(saga=TERM, key=timer.key, input=outcome, outcome=rejected))

    (again,) = await terms.due(MIDNIGHT)
    await asyncio.gather(*(clock.fire_due(MIDNIGHT) for clock in terms.clocks))

    assert (again.name, again.due_at) == (timer.name, timer.due_at)
    assert [step.input.at for step in await terms.fired()] == [MIDNIGHT, MIDNIGHT]
    assert await terms.due(MIDNIGHT) == []


async def test_a_timer_that_is_due_while_everything_is_down_fires_afterwards(terms: Terms) -> None:
    await terms.contract()
    terms.clocks.clear()
    await terms.clock().fire_due(MIDNIGHT + timedelta(days=300))
    await terms.clock().fire_due(MIDNIGHT + timedelta(days=301))
    (step,) = await terms.fired()
    assert step.input.at == MIDNIGHT


async def test_timers_that_cannot_fire_delay_no_others(terms: Terms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_api.timer_clock._BATCH_SIZE", 3)
    for _ in range(7):
        await terms.contract()
    strangers = TimerClock(terms.timers, terms.handler, ["another.saga"], terms.known, Turns())

    await asyncio.wait_for(strangers.fire_due(MIDNIGHT), 5)
    assert await terms.fired() == []
    for _ in range(2):
        await asyncio.wait_for(terms.clocks[0].fire_due(MIDNIGHT), 5)
    assert len(await terms.fired()) == 7


@pytest.mark.parametrize(
    "statement",
    [
        "insert into {schema}.pauses (subscription) values ('engine.sagas')",
        "delete from {schema}.sagas; update {schema}.checkpoints set position = 0, generation = generation + 1",
        "alter table {schema}.sagas rename to sagas_1",
        "insert into {schema}.dead_letters (subscription, source, partition, origin, position, stream, type, state, attempts,"
        " deaths, header_names, header_values) select 'engine.sagas', 'engine.sagas', 0, 'log@1', 1, 'saga-x', 'SagaAdvanced',"
        " 'parked', 1, 0, '{}', '{}'",
    ],
    ids=["paused", "reset", "rebuilt", "blocked"],
)
async def test_no_operation_on_the_view_of_sagas_stops_a_timer(terms: Terms, statement: str) -> None:
    async with terms.databases.connection(terms.settings.view_dsn(SAGAS)) as connection:
        await connection.execute("reset role")
        await connection.execute(statement.replace("{schema}", views_schema(SAGAS)))

    await terms.contract()
    await terms.clocks[0].fire_due(MIDNIGHT)

    assert len(await terms.fired()) == 1


@pytest.mark.parametrize("due_at", ["0001-01-01T00:00:00+14:00", "-infinity"])
async def test_a_timer_before_the_calendar_begins_is_due_and_stops_no_other(terms: Terms, due_at: str) -> None:
    saga = await terms.contract()
    await terms.contract()
    async with terms.databases.connection(terms.settings.log_dsn(SAGAS)) as connection:
        await connection.execute("reset role")
        update = f"update {log_schema(SAGAS)}.timers set due_at = $1::text::timestamptz where stream = $2"
        await connection.execute(update, due_at, f"saga-{saga}")

    due = await terms.due(MIDNIGHT)
    await terms.clocks[0].fire_due(MIDNIGHT)

    assert [timer.due_at for timer in due] == [EARLIEST, MIDNIGHT]
    assert len(await terms.fired()) == 1
