"""Clients: a producer that replaces itself, starts that are cancelled, and records up to an offset."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from schemas.errors import Unavailable
from streams.broker import clients
from streams.broker.clients import ResilientProducer, new_consumer, records_up_to, start, stop_quietly
from streams.settings import Settings

TP = TopicPartition("t", 0)


class FakeClient:
    """Counts its starts and stops; may fail, and may take its time."""

    def __init__(self, seconds: float = 0.0, failure: Exception | None = None) -> None:
        self.seconds, self.failure = seconds, failure
        self.is_started = self.is_stopped = False

    async def start(self) -> None:
        await asyncio.sleep(self.seconds)
        self.is_started = True

    async def stop(self) -> None:
        self.is_stopped = True
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeClient]:
    """The producers that were started."""
    found: list[FakeClient] = []

    async def started(_: Settings) -> FakeClient:
        found.append(FakeClient())
        return found[-1]

    monkeypatch.setattr(clients, "started_producer", started)
    return found


async def test_a_producer_is_started_once_for_all_who_need_it(made: list[FakeClient]) -> None:
    prepared: list[str] = []

    async def prepare() -> None:
        prepared.append("topics")

    producer = ResilientProducer(Settings(), prepare)

    async def use() -> None:
        async with producer.connected():
            await asyncio.sleep(0)

    await asyncio.gather(use(), use(), use())

    assert (len(made), prepared) == (1, ["topics"])
    await producer.close()
    await producer.close()
    assert made[0].is_stopped


@pytest.mark.parametrize("failure", [KafkaError("fenced"), ConnectionResetError("gone")])
async def test_a_producer_that_failed_is_replaced(made: list[FakeClient], failure: Exception) -> None:
    producer = ResilientProducer(Settings(brokers="broker:9092"))

    with pytest.raises(Unavailable, match="no broker acknowledges: broker:9092: ") as raised:
        async with producer.connected():
            raise failure
    async with producer.connected() as second:
        pass

    assert raised.value.__cause__ is failure
    assert (len(made), made[0].is_stopped, second) == (2, True, made[1])


async def test_an_error_of_the_callers_leaves_the_producer(made: list[FakeClient]) -> None:
    producer = ResilientProducer(Settings())

    with pytest.raises(ZeroDivisionError):
        async with producer.connected():
            raise ZeroDivisionError

    async with producer.connected():
        pass
    assert (len(made), made[0].is_stopped) == (1, False)


async def test_a_start_that_is_cancelled_is_finished_first() -> None:
    client = FakeClient(0.05)
    starting = asyncio.create_task(start(client))
    await asyncio.sleep(0.01)

    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert client.is_started


async def test_a_client_whose_broker_is_gone_can_be_stopped() -> None:
    client: Any = FakeClient(failure=KafkaConnectionError("gone"))

    await stop_quietly(client)

    assert client.is_stopped


async def test_a_consumer_backs_off_only_if_the_settings_ask_for_it() -> None:
    plain, pausing = (new_consumer(Settings(fetch_backoff=wanted)) for wanted in (False, True))

    assert plain._client.send.__func__ is type(plain._client).send
    assert not hasattr(pausing._client.send, "__func__")
    await plain.stop()
    await pausing.stop()


class FakeConsumer:
    """A partition of seven records, three at a time, of which a broker may have lost the last."""

    def __init__(self, lost_from: int = 7) -> None:
        self._at, self._lost_from = 0, lost_from

    async def position(self, _: TopicPartition) -> int:
        return self._at

    async def getmany(self, tp: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[int]]:
        found = list(range(self._at, min(self._at + 3, self._lost_from)))
        self._at += len(found)
        await asyncio.sleep(0 if found else 0.01)
        return {tp: found} if found else {}


async def test_records_are_read_up_to_an_offset() -> None:
    consumer: Any = FakeConsumer()

    assert [list(records) async for records in records_up_to(consumer, TP, 7)] == [[0, 1, 2], [3, 4, 5], [6]]


async def test_records_that_never_come_are_not_awaited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_MAX_SILENCE_SECONDS", 0.05)
    consumer: Any = FakeConsumer(lost_from=4)

    with pytest.raises(TimeoutError, match="t/0 delivers no record below offset 7"):
        _ = [records async for records in records_up_to(consumer, TP, 7)]


async def test_a_late_failure_on_a_replaced_producer_leaves_the_new_one_alone(made: list[FakeClient]) -> None:
    producer = ResilientProducer(Settings())
    has_failed = asyncio.Event()

    async def fail_late() -> None:
        async with producer.connected():
            await has_failed.wait()
            raise KafkaError("late")

    late = asyncio.create_task(fail_late())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        async with producer.connected():
            raise KafkaError("first")
    async with producer.connected() as second:
        has_failed.set()
        with pytest.raises(Unavailable):
            await late

    async with producer.connected() as third:
        assert third is second
    assert [one.is_stopped for one in made] == [True, False]
