"""Timers of processes: due once, however many look, and whatever was down meanwhile."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from aggregates.sagas.saga import saga_id
from command_api.app import make_handler, open_logs
from command_api.handling.handler import CommandHandler
from command_api.sagas.timers import TimerClock
from projectors.engine import PROJECTIONS
from projectors.projector import Projector
from schemas.catalog import Catalog, ContextName
from schemas.engine.sagas import CONTEXT, SYSTEM, AdvanceSaga, CancelSaga, Cause, SagaAdvanced
from schemas.envelope import CommandEnvelope
from schemas.partner_alliances.contracts import ContractCreated
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.appending import AppendablePostgresLog
from streams.log.stored_events import decode
from streams.log.timers import Timer, Timers
from streams.settings import Settings
from streams.subscriptions.subscriber import Batch

TERM = "partner_alliances.contract-term"
PROCESSES = ContextName(SYSTEM, CONTEXT)
LAST_DAY = date(2030, 1, 31)
MIDNIGHT = datetime(2030, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.installed(["partner_alliances"])


class Terms:
    """Contracts whose terms run, and clocks that can be set, each with a handler of its own as each worker has one."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self.settings, self.catalog, self.databases = settings, catalog, databases
        self.logs = open_logs(settings, catalog, databases)
        self.handler: CommandHandler = make_handler(settings, catalog, self.logs, databases)
        self.projector = Projector(Installation(settings, catalog, databases), PROJECTIONS[0].of(SYSTEM), self.logs)
        self.timers = Timers(settings, databases)
        self.clocks = [self.clock() for _ in range(3)]

    def clock(self) -> TimerClock:
        """The clock of one more worker."""
        logs = open_logs(self.settings, self.catalog, self.databases)
        return TimerClock(self.timers, make_handler(self.settings, self.catalog, logs, self.databases), [TERM])

    @property
    def log(self) -> AppendablePostgresLog:
        return self.logs[PROCESSES]

    async def contract(self) -> str:
        """A contract is created; returns its process."""
        contract_id = uuid4()
        event = ContractCreated(
            contract_id=contract_id, partner_id=uuid4(), product="P", terms={}, starts_on=LAST_DAY, ends_on=LAST_DAY
        )
        cause = Cause(kind="event", id=uuid4(), name="ContractCreated", at=MIDNIGHT, data=event.model_dump(mode="json"))
        await self.issue(AdvanceSaga(process=TERM, key=str(contract_id), cause=cause))
        await self.project()
        return saga_id(TERM, str(contract_id))

    async def issue(self, command: AdvanceSaga | CancelSaga) -> None:
        id: UUID = uuid4()
        await self.handler.handle(CommandEnvelope(data=command, id=id, at=datetime.now(UTC), correlation_id=str(id)))

    async def project(self) -> None:
        """Brings the view up to date."""
        for partition in range(4):
            position = await self.projector.position(PROCESSES, partition)
            rows = await self.log.read_partition(partition, position, 10**9, 10_000)
            if rows:
                await self.projector.handle([Batch(PROCESSES, partition, rows)])

    async def due(self, at: datetime) -> Sequence[Timer]:
        return (await self.timers.due(at, [TERM], 100)).timers

    async def told(self) -> list[SagaAdvanced]:
        """What processes were told by timers."""
        recorded = [decode(row, PROCESSES, self.catalog).data for row in await self.log.read(0, 10_000)]
        return [step for step in recorded if isinstance(step, SagaAdvanced) and step.cause.kind == "timer"]


@pytest.fixture
async def terms(settings: Settings, catalog: Catalog, databases: Databases) -> Terms:
    return Terms(settings, catalog, databases)


async def test_each_is_due_once_however_many_look_and_however_often(terms: Terms) -> None:
    for _ in range(20):
        await terms.contract()

    assert await terms.due(MIDNIGHT - timedelta(seconds=1)) == []
    for _ in range(2):
        await asyncio.gather(*(clock.tell(MIDNIGHT) for clock in terms.clocks))

    told = await terms.told()
    assert len(told) == 20
    assert all([sent.command for sent in step.sent] == ["expire-contract"] for step in told)
    await terms.project()
    assert await terms.due(MIDNIGHT) == []


async def test_one_that_was_cancelled_meanwhile_is_let_go(terms: Terms) -> None:
    saga = await terms.contract()
    await terms.issue(CancelSaga(saga_id=saga, reason="why"))

    await terms.clocks[0].tell(MIDNIGHT)  # the view has not seen it yet

    assert await terms.told() == []


async def test_one_that_was_due_while_everything_was_down_is_due_afterwards(terms: Terms) -> None:
    await terms.contract()
    terms.clocks.clear()
    await terms.clock().tell(MIDNIGHT + timedelta(days=300))
    await terms.clock().tell(MIDNIGHT + timedelta(days=301))
    (step,) = await terms.told()
    assert step.cause.at == MIDNIGHT


async def test_those_that_nobody_can_be_told_of_keep_no_others_waiting(terms: Terms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_api.sagas.timers._BATCH_SIZE", 3)
    for _ in range(7):
        await terms.contract()
    strangers = TimerClock(terms.timers, terms.handler, ["another.process"])

    await asyncio.wait_for(strangers.tell(MIDNIGHT), 5)
    assert await terms.told() == []
    for _ in range(2):  # the view is never brought up to date: all of them look due the second time, too
        await asyncio.wait_for(terms.clocks[0].tell(MIDNIGHT), 5)
    assert len(await terms.told()) == 7
