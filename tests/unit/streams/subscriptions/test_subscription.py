"""The subscription: what it delivers to which subscriber, and what happens to one that fails."""

from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from schemas.catalog import Catalog
from schemas.errors import Unavailable
from schemas.system import Context, System
from streams.broker.cloudevents import encode_event
from streams.broker.faust_consumer import Fetched
from streams.broker.topic_names import Topics
from streams.log.memory import MemoryLog
from streams.settings import Settings
from streams.subscriptions import subscription as module
from streams.subscriptions.subscription import Subscription
from tests.unit.streams.subscriptions.fakes import CONTEXT, Added, FakeSubscriber, filled_log
from tests.unit.swallowing import is_never_lost


class Bench:
    """A subscription of two subscribers that nothing consumes, fed by a test."""

    def __init__(self, log: MemoryLog) -> None:
        catalog = Catalog.of([System("todo", (Context("tasks", events=(Added,), partitions=2),))])
        settings, self.log = Settings(), log
        self.topic = Topics(settings, catalog).events(CONTEXT)
        self.one, self.other = FakeSubscriber(), FakeSubscriber()
        self.other.name = "todo.others"
        self.subscription = Subscription(settings, catalog, "projectors", [self.one, self.other], {CONTEXT: log})

    async def deliver(self, partition: int, *foreign: Any) -> None:
        events = await self.log.read_partition(partition, 0, 10**6, 10**6)
        records = [SimpleNamespace(**_fields(encode_event(event, CONTEXT), self.topic)) for event in events]
        await self.subscription._deliver([Fetched(self.topic, partition, [*records, *foreign])])


def _fields(record: Any, topic: str) -> dict[str, Any]:
    return {
        "topic": topic, "partition": 0, "offset": 0, "key": record.key, "value": record.value, "headers": record.headers,
    }  # fmt: skip


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(module, "_PAUSES", (0.001, 0.001))
    return Bench(await filled_log(10))


async def test_each_subscriber_gets_the_events(bench: Bench) -> None:
    await bench.deliver(0)
    await bench.deliver(1)

    assert len(bench.one.handled) == len(bench.other.handled) == 10


async def test_one_that_fails_for_long_is_suspended_and_holds_no_other_up(bench: Bench) -> None:
    bench.one.fails_with = Unavailable("no database")

    with capture_logs() as lines:
        await bench.deliver(0)
        await bench.deliver(1)

    assert [line["event"] for line in lines] == ["delivery failed", "delivery failed", "subscription suspended"]
    assert bench.one.handled == []
    assert len(bench.other.handled) == 10


async def test_a_suspended_subscriber_gets_no_batches(bench: Bench) -> None:
    bench.subscription._controls["todo.tasks"].suspend()

    await bench.deliver(0)

    assert bench.one.handled == []
    assert bench.other.handled != []


async def test_a_partition_that_comes_or_goes_is_invalidated(bench: Bench) -> None:
    for assigned, invalidated in (({0}, [0]), ({0, 1}, [1]), ({0, 1}, []), (set(), [0, 1])):
        bench.one.invalidated.clear()
        bench.subscription._note_assignment([(bench.topic, partition) for partition in assigned], is_member=True)
        assert sorted(bench.one.invalidated) == invalidated


def test_it_is_ready_once_it_has_partitions(bench: Bench) -> None:
    assert bench.subscription.why_not_ready() == "the consumer group projectors has not assigned partitions yet"

    bench.subscription._note_assignment([(bench.topic, 0)], is_member=True)

    assert bench.subscription.why_not_ready() is None


async def test_no_cancellation_of_the_watch_is_lost_wherever_it_arrives(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await is_never_lost(bench.subscription._watch, monkeypatch)


async def test_no_cancellation_of_a_delivery_is_lost_wherever_it_arrives(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSES", (0.001,) * 10**4)
    bench.one.fails_with = Unavailable("no database")

    async def deliver() -> None:
        await bench.deliver(0)

    assert await is_never_lost(deliver, monkeypatch)
