"""The recorder for ``eventsourcing``: the test cases that the package ships, and an application."""

import asyncio
import threading
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import ApplicationRecorder, DataError, IntegrityError, OperationalError, StoredEvent
from eventsourcing.tests.persistence import ApplicationRecorderTestCase

from schemas.catalog import Catalog
from schemas.errors import CaudalError, Conflict, Misconfigured, Raced, Unavailable
from schemas.system import Context, ContextName, System
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrations.eventsourcing_recorder import CaudalFactory, CaudalRecorder
from streams.integrity.log_verification import Verification
from streams.integrity.proof_log import ProofLog
from streams.log.stored_events import MAX_RECORD_BYTES
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.conftest import FreshDatabase

CONTEXT = ContextName("kin", "accounts")
CATALOG = Catalog.of([System("kin", (Context("accounts"),))])


@pytest.fixture
async def dsn(fresh_database: FreshDatabase) -> str:
    await migrate(Settings(write_dsn=await fresh_database.empty()), CATALOG)
    return fresh_database.dsn


@pytest.fixture
def recorder(dsn: str) -> Iterator[CaudalRecorder]:
    made = CaudalRecorder(dsn, CONTEXT)
    yield made
    made.close()


class Shipped(ApplicationRecorderTestCase[ApplicationRecorder]):
    """The package's own test cases, on the recorder of a test."""

    __test__ = False
    recorder: ApplicationRecorder

    def create_recorder(self) -> ApplicationRecorder:
        return self.recorder


@pytest.mark.parametrize(
    "name",
    ["test_insert_select", "test_concurrent_no_conflicts", "test_concurrent_throughput", "optional_test_insert_subscribe"],
)
async def test_it_passes_the_packages_own_test_cases(recorder: CaudalRecorder, name: str) -> None:
    case = Shipped()
    case.recorder = recorder

    await asyncio.to_thread(getattr(case, name))


@pytest.mark.parametrize(
    ("error", "expected"), [(Raced(), OperationalError), (Unavailable(), OperationalError), (Conflict(), IntegrityError)]
)
async def test_only_a_conflict_about_a_stream_is_one_for_the_application(
    recorder: CaudalRecorder, error: CaudalError, expected: type[Exception]
) -> None:
    async def insert() -> None:
        raise error

    with pytest.raises(expected):
        await asyncio.to_thread(recorder._run, insert())


@pytest.mark.parametrize(
    "state", [b'{"a": 1, "b": "\xc3\xb1"}', b"\x00\xff", b"", b"[1,  2]", b'{"state": {"base64": 1}}', b"1"]
)
@pytest.mark.parametrize("first", [0, 1])
async def test_states_come_back_byte_for_byte(recorder: CaudalRecorder, state: bytes, first: int) -> None:
    id = uuid4()
    stored = [StoredEvent(id, first + n, "bank:Opened", state) for n in range(3)]

    def use() -> None:
        assert recorder.insert_events(stored[:1]) == [1]
        assert recorder.insert_events(stored[1:]) == [2, 3]
        assert recorder.select_events(id) == stored
        assert recorder.select_events(id, gt=first) == stored[1:]
        assert recorder.select_events(id, lte=first, desc=True, limit=1) == stored[:1]

    await asyncio.to_thread(use)


async def test_events_of_several_originators_are_inserted_together_or_not_at_all(recorder: CaudalRecorder) -> None:
    a, b = uuid4(), uuid4()

    def stored(id: UUID, version: int) -> StoredEvent:
        return StoredEvent(id, version, "t", b"{}")

    def use() -> None:
        assert recorder.insert_events([stored(a, 1), stored(b, 1), stored(a, 2), stored(b, 2)]) == [1, 2, 3, 4]
        for bad in (
            [stored(a, 3), stored(b, 3), stored(a, 5)],
            [stored(a, 3), stored(b, 3), stored(a, 3)],
            [stored(a, 3), stored(b, 2)],
            [stored(a, 4)],
            [stored(a, 3), stored(a, 5)],
            [stored(uuid4(), 2)],
        ):
            with pytest.raises(IntegrityError):
                recorder.insert_events(bad)
        assert recorder.max_notification_id() == 4

    await asyncio.to_thread(use)


class Account(Aggregate):
    def __init__(self, owner: str) -> None:
        self.owner, self.balance = owner, 0

    @event("Credited")
    def credit(self, amount: int) -> None:
        self.balance += amount


class Bank(Application[UUID]):
    def open(self, owner: str) -> UUID:
        account = Account(owner)
        self.save(account)
        return account.id

    def credit(self, id: UUID, amount: int) -> None:
        account: Account = self.repository.get(id)
        account.credit(amount)
        self.save(account)


async def test_an_application_of_the_package_keeps_its_events_in_the_log(
    fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUDAL_WRITE_DSN", await fresh_database.empty())
    environment = {"PERSISTENCE_MODULE": "streams.integrations.eventsourcing_recorder", "CAUDAL_CONTEXT": "kin.accounts"}

    def credit(bank: Bank, id: UUID) -> None:
        for _ in range(10):
            bank.credit(id, 5)

    def use() -> tuple[list[int], list[int]]:
        with Bank(environment) as bank:
            ids = [bank.open(f"owner {n}") for n in range(4)]
            threads = [threading.Thread(target=credit, args=(bank, id)) for id in ids]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        with Bank(environment) as again:
            accounts: list[Account] = [again.repository.get(id) for id in ids]
            balances = [account.balance for account in accounts]
            notified = [n.id for n in again.recorder.select_notifications(1, 100)]
        return balances, notified

    balances, notified = await asyncio.to_thread(use)

    assert balances == [50] * 4
    assert notified == list(range(1, 45))
    databases = Databases("caudal_reader", 1)
    verified = await Verification(ProofLog(Store.of_log(databases, fresh_database.dsn, CONTEXT), CONTEXT), None).run(
        lambda done, total: None
    )
    assert (verified.events, verified.findings) == (44, [])
    await databases.close()


async def test_an_event_that_is_too_large_for_its_topic_is_not_inserted(recorder: CaudalRecorder) -> None:
    id = uuid4()

    with pytest.raises(DataError, match="the event Large would have"):
        recorder.insert_events(
            [StoredEvent(id, 0, "Small", b"{}"), StoredEvent(id, 1, "Large", b'"' + b"x" * MAX_RECORD_BYTES + b'"')]
        )

    assert list(recorder.select_events(id)) == []


def test_recorders_that_are_not_supported_are_named() -> None:
    factory = CaudalFactory({})

    with pytest.raises(Misconfigured, match="CAUDAL_CONTEXT"):
        factory.application_recorder()
    for make in (factory.aggregate_recorder, factory.tracking_recorder, factory.process_recorder):
        with pytest.raises(Misconfigured, match="no recorder"):
            make()
    factory.close()
