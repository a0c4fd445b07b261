"""Clients: a producer that replaces itself, starts that are cancelled, and records up to an offset."""

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from schemas.errors import Unavailable
from streams.broker import clients
from streams.broker.clients import (
    ResilientProducer,
    client_id,
    connected_consumer,
    new_consumer,
    records_up_to,
    start,
    started_producer,
    stop_quietly,
    why_no_broker_answers,
)
from streams.broker.own_tasks import in_own_task, stop_or_abort
from streams.settings import Settings

TP = TopicPartition("t", 0)
SETTINGS = Settings()


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

    async def started(_: Settings, kind: str) -> FakeClient:
        found.append(FakeClient())
        return found[-1]

    monkeypatch.setattr(clients, "started_producer", started)
    return found


async def test_a_producer_is_started_once_for_all_who_need_it(made: list[FakeClient]) -> None:
    prepared: list[str] = []

    async def prepare() -> None:
        prepared.append("topics")

    producer = ResilientProducer(Settings(), "test", prepare)

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
    producer = ResilientProducer(Settings(brokers="broker:9092"), "test")

    with pytest.raises(Unavailable, match="no broker acknowledges: broker:9092: ") as raised:
        async with producer.connected():
            raise failure
    async with producer.connected() as second:
        pass

    assert raised.value.__cause__ is failure
    assert (len(made), made[0].is_stopped, second) == (2, True, made[1])


async def test_an_error_of_the_callers_leaves_the_producer(made: list[FakeClient]) -> None:
    producer = ResilientProducer(Settings(), "test")

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
    plain, pausing = (new_consumer(Settings(fetch_backoff=wanted), "test") for wanted in (False, True))

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
    monkeypatch.setattr(clients, "MAX_SILENCE_SECONDS", 0.05)
    consumer: Any = FakeConsumer(lost_from=4)

    with pytest.raises(TimeoutError, match="t/0 delivers no record below offset 7"):
        _ = [records async for records in records_up_to(consumer, TP, 7)]


async def test_a_late_failure_on_a_replaced_producer_leaves_the_new_one_alone(made: list[FakeClient]) -> None:
    producer = ResilientProducer(Settings(), "test")
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


class SwallowingClient:
    """A client of the shape of aiokafka's: it swallows a cancellation that arrives while it awaits a task of its own."""

    def __init__(self, *_: object, **options: object) -> None:
        self.is_used = self.is_stopped = False

    async def start(self) -> None:
        self.is_used = True
        await self._swallow(3)

    async def stop(self) -> None:
        await self._swallow(3)
        self.is_stopped = True

    async def _swallow(self, steps: int) -> None:
        for _ in range(steps):
            own = asyncio.create_task(asyncio.sleep(0))
            with suppress(asyncio.CancelledError):
                await own


async def use_client(client: Any) -> None:
    try:
        await start(client)
        await in_own_task(client.start(), 5)
    finally:
        await stop_quietly(client)


async def use_several(client: Any) -> None:
    other: Any = SwallowingClient()
    try:
        await start(client)
        await start(other)
    finally:
        await stop_or_abort({other.stop(): other.start, client.stop(): client.start}, 5)
        assert other.is_stopped


async def use_started_producer(_: Any) -> None:
    producer = await started_producer(SETTINGS)
    try:
        await asyncio.sleep(0)
    finally:
        await stop_quietly(producer)


async def use_resilient_producer(_: Any) -> None:
    producer = ResilientProducer(SETTINGS, "test", lambda: in_own_task(asyncio.sleep(0), 5))
    try:
        for failure in (KafkaError("fenced"), None):
            with suppress(Unavailable):
                async with producer.connected():
                    await asyncio.sleep(0)
                    if failure is not None:
                        raise failure
    finally:
        await producer.close()


async def use_connected_consumer(_: Any) -> None:
    for failure in (KafkaError("gone"), None):
        with suppress(Unavailable):
            async with connected_consumer(SETTINGS, "test"):
                await asyncio.sleep(0)
                if failure is not None:
                    raise failure


async def use_records(_: Any) -> None:
    consumer: Any = FakeConsumer()
    async for _ in records_up_to(consumer, TP, 7):
        await asyncio.sleep(0)


HELPERS = [use_client, use_several, use_started_producer, use_resilient_producer, use_connected_consumer, use_records]


@pytest.mark.parametrize("use", HELPERS)
async def test_no_cancellation_is_lost_and_no_client_left_wherever_it_arrives(
    use: Callable[[Any], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, made = random.Random(1), list[SwallowingClient]()

    def client(*_: object, **__: object) -> SwallowingClient:
        made.append(SwallowingClient())
        return made[-1]

    monkeypatch.setattr(clients, "AIOKafkaProducer", client)
    monkeypatch.setattr(clients, "AIOKafkaConsumer", client)

    async def task(one: SwallowingClient) -> None:
        await use(one)

    async def steps() -> int:
        using, count = asyncio.create_task(task(client())), 0
        while not using.done():
            await asyncio.sleep(0)
            count += 1
        await using
        return count

    longest, ends = await steps(), Counter[bool]()
    for _ in range(1000):
        using = asyncio.create_task(task(client()))
        for _ in range(chance.randrange(longest + 5)):
            await asyncio.sleep(0)
        was_running = using.cancel()

        await asyncio.wait([using], timeout=5)

        assert using.cancelled() is was_running, "it went on as if it had not been cancelled"
        assert all(one.is_stopped for one in made if one.is_used), "a client is left"
        ends[was_running] += 1
        made.clear()
    assert min(ends[True], ends[False]) > 10, "it is cancelled at every step, and after the last one"


async def test_clients_are_stopped_before_a_cancellation_is_raised_and_the_next_clean_up_is_not_skipped() -> None:
    clients = [SwallowingClient(), SwallowingClient()]

    async def use() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            for client in clients:
                await stop_quietly(client)

    using = asyncio.create_task(use())
    await asyncio.sleep(0)
    using.cancel()
    await asyncio.wait([using])

    assert using.cancelled()
    assert all(client.is_stopped for client in clients)


class SilentClient:
    """A client whose broker never answers: only the end of its connections ends it."""

    def __init__(self) -> None:
        self.is_aborted = asyncio.Event()
        self._client = SimpleNamespace(_sync_task=None, _conns={0: self})
        self._writer = SimpleNamespace(transport=SimpleNamespace(abort=self.is_aborted.set))

    async def start(self) -> None:
        await asyncio.sleep(60)

    async def stop(self) -> None:
        await self.is_aborted.wait()

    def close(self) -> None:
        """As a connection."""


async def test_a_client_that_does_not_stop_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_MAX_STOP_SECONDS", 0.05)
    silent: Any = [SilentClient(), SilentClient()]

    async with asyncio.timeout(1):
        await stop_quietly(*silent)

    assert all(client.is_aborted.is_set() for client in silent)


async def test_a_start_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_MAX_START_SECONDS", 0.05)
    silent: Any = SilentClient()

    with pytest.raises(KafkaTimeoutError, match=r"has not answered within 0\.05 s"):
        await start(silent)


async def test_an_acknowledgement_has_a_limit_after_which_the_producer_is_replaced(made: list[FakeClient]) -> None:
    producer = ResilientProducer(Settings(broker_timeout_seconds=0.05), "test")

    with pytest.raises(Unavailable, match=r"no broker acknowledges: .*has not answered within 0\.05 s"):
        async with producer.connected():
            await asyncio.Event().wait()
    async with producer.connected() as second:
        pass

    assert (made[0].is_stopped, second) == (True, made[1])


async def test_callers_that_wait_for_another_ones_start_have_the_same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start_for_ever(_: Settings, kind: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(clients, "started_producer", start_for_ever)
    producer = ResilientProducer(Settings(broker_timeout_seconds=0.05), "test")

    async def use() -> None:
        async with producer.connected():
            pass

    async with asyncio.timeout(0.5):
        failed = await asyncio.gather(*(use() for _ in range(20)), return_exceptions=True)

    assert {type(one) for one in failed} == {Unavailable}


async def test_the_client_id_names_the_kind_and_the_instance() -> None:
    consumer = new_consumer(Settings(instance="eu-1"), "projectors")

    assert consumer._client._client_id == client_id(Settings(instance="eu-1"), "projectors") == "caudal-projectors-eu-1"
    await consumer.stop()


async def test_a_broker_that_accepts_connections_and_answers_nothing_is_named_within_seconds() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        why = await why_no_broker_answers(Settings(brokers=address, broker_timeout_seconds=1))

    assert why is not None
    assert why.startswith(f"no broker answers: {address}: ")
    assert time.monotonic() - began < 5
