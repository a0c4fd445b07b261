"""The contract suite of brokers: the behaviour that the engine relies on, for brokers of your own.

Subclass `BrokerContract` in a test module, and give it your broker::

    pytest.register_assert_rewrite("streams.testing.broker_contract")  # in conftest.py: failures show values

    class TestMyBroker(BrokerContract):
        @pytest.fixture
        def bootstrap(self) -> str:
            return "127.0.0.1:9092"

A broker with TLS or users has the fixture ``settings`` instead, with its brokers and ``CAUDAL_BROKER_…``. Tests use topics and
groups of their own, so the broker may hold others. The suite needs pytest, pytest-timeout and pytest-asyncio with
``asyncio_mode = "auto"``, which an installation for production does not have.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.broker.clients import is_member, new_admin, new_consumer, started_producer
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from streams.log.partitioning import partition_of
from streams.settings import Settings

PARTITIONS = 4


class RestartableBroker(NamedTuple):
    """A broker that a test may restart."""

    settings: Settings
    restart: Callable[[], Awaitable[None]]
    """Stops the broker, and returns when it has started again with the same data."""


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    give_up = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < give_up, f"it did not happen within {seconds} s"
        await asyncio.sleep(0.05)


async def make(admin: AIOKafkaAdminClient, topic: str, config: dict[str, str] | None = None) -> None:
    made = await admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=config)])
    assert [code for _, code, _ in made.topic_errors] == [0]

    async def is_reported() -> bool:
        (found,) = await admin.describe_topics([topic])
        return len(found["partitions"]) == PARTITIONS

    await eventually(is_reported)


@asynccontextmanager
async def consuming(settings: Settings, *topics: str, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = new_consumer(settings, "test", *topics, auto_offset_reset="earliest", **options)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def take(consumer: AIOKafkaConsumer, count: int, seconds: float = 20) -> list[Any]:
    found: list[Any] = []
    async with asyncio.timeout(seconds):
        while len(found) < count:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
    return found


async def send(
    producer: AIOKafkaProducer, topic: str, values: Sequence[bytes], partition: int = 0, **options: Any
) -> list[Any]:
    sent = [await producer.send(topic, value, b"k", partition=partition, **options) for value in values]
    return list(await asyncio.gather(*sent))


class BrokerContract:
    """The behaviour that the engine needs of a broker, one test for each.

    A subclass has the fixture ``bootstrap`` or ``settings``.
    """

    @pytest.fixture
    def holds_empty_fetches(self) -> bool:
        """Returns whether the broker holds a fetch until a record arrives or ``fetch_max_wait_ms`` is over, as Kafka does."""
        return True

    @pytest.fixture
    def restartable(self) -> RestartableBroker | None:
        """A broker that a test restarts; ``None`` skips that test."""
        return None

    @pytest.fixture
    def topic(self) -> str:
        return f"t-{uuid4().hex[:12]}"

    @pytest.fixture
    def settings(self, bootstrap: str) -> Settings:
        return Settings(brokers=bootstrap, fetch_backoff=True)

    @pytest.fixture
    async def admin(self, settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
        client = new_admin(settings)
        await client.start()
        yield client
        await client.close()

    @pytest.fixture
    async def producer(self, settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
        made = await started_producer(settings)
        yield made
        await made.stop()

    async def test_a_keys_partition_is_the_one_that_every_client_chooses(
        self, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str
    ) -> None:
        await make(admin, topic)

        for key in ("a", "delivery-0190", "ñ\u2028", "x" * 300):
            sent = await producer.send_and_wait(topic, b"x", key.encode())
            assert sent.partition == partition_of(key, PARTITIONS)

    async def test_a_partitions_order_is_that_of_sending_and_offsets_grow(
        self, settings: Settings, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str
    ) -> None:
        await make(admin, topic)
        values = [b"%d" % n for n in range(5000)]

        sent = await send(producer, topic, values, 2)

        assert [one.offset for one in sent] == list(range(5000))
        async with consuming(settings, topic) as consumer:
            found = await take(consumer, 5000)
        assert [record.value for record in found] == values
        assert [record.offset for record in found] == list(range(5000))

    async def test_an_idempotent_producers_records_come_once(
        self, admin: AIOKafkaAdminClient, settings: Settings, topic: str
    ) -> None:
        await make(admin, topic)
        producers = [await started_producer(settings) for _ in range(3)]
        await asyncio.gather(*(send(one, topic, [b"%d-%d" % (n, m) for m in range(500)], 1) for n, one in enumerate(producers)))
        for one in producers:
            await one.stop()

        async with consuming(settings, topic) as consumer:
            found = [record.value for record in await take(consumer, 1500)]
            assert not await consumer.getmany(timeout_ms=300)
        assert len(set(found)) == 1500
        for n in range(3):
            own = [value for value in found if value.startswith(b"%d-" % n)]
            assert own == [b"%d-%d" % (n, m) for m in range(500)]

    async def test_headers_keys_and_times_come_back_to_the_byte(
        self, settings: Settings, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str
    ) -> None:
        await make(admin, topic)
        headers = [("ce_id", b"1"), ("ce_id", b"2"), ("ñ", bytes(range(256))), ("empty", b"")]
        await send(producer, topic, [b"\x00\xff"], headers=headers, timestamp_ms=1_700_000_000_123)
        await producer.send_and_wait(topic, None, b"tombstone", partition=0)

        async with consuming(settings, topic) as consumer:
            first, second = await take(consumer, 2)

        assert (first.key, first.value, list(first.headers), first.timestamp) == (b"k", b"\x00\xff", headers, 1_700_000_000_123)
        assert (second.key, second.value) == (b"tombstone", None)

    async def test_a_large_record_passes(
        self, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str, settings: Settings
    ) -> None:
        await make(admin, topic, {"max.message.bytes": str(settings.max_record_bytes)})
        value = bytes(range(256)) * 4 * 1024 * 8  # 8 MiB

        await send(producer, topic, [value])

        async with consuming(settings, topic) as consumer:
            (found,) = await take(consumer, 1)
        assert found.value == value

    async def test_a_consumer_starts_at_the_offsets_it_is_given(
        self, settings: Settings, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str
    ) -> None:
        await make(admin, topic)
        await send(producer, topic, [b"%d" % n for n in range(100)])
        tp = TopicPartition(topic, 0)

        async with consuming(settings) as consumer:
            consumer.assign([tp])
            assert (await consumer.beginning_offsets([tp]), await consumer.end_offsets([tp])) == ({tp: 0}, {tp: 100})
            for offset in (70, 10, 99):
                consumer.seek(tp, offset)
                assert (await asyncio.wait_for(consumer.getone(tp), 10)).value == b"%d" % offset
            await consumer.seek_to_beginning(tp)
            assert (await asyncio.wait_for(consumer.getone(tp), 10)).offset == 0

    async def test_offsets_are_found_by_time(
        self, settings: Settings, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str
    ) -> None:
        await make(admin, topic)
        for n in range(5):
            await send(producer, topic, [b"%d" % n], timestamp_ms=1_700_000_000_000 + n * 1000)
        tp = TopicPartition(topic, 0)

        async with consuming(settings) as consumer:
            found = await consumer.offsets_for_times({tp: 1_700_000_002_500})

        assert found[tp].offset == 3

    async def test_a_group_goes_on_from_what_it_committed(
        self, settings: Settings, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str
    ) -> None:
        await make(admin, topic)
        await send(producer, topic, [b"%d" % n for n in range(20)])
        member = {"group_id": topic, "group_instance_id": "one"}
        async with consuming(settings, topic, **member) as consumer:
            await take(consumer, 20)
            await consumer.commit({TopicPartition(topic, 0): 12})

        async with consuming(settings, topic, **member) as consumer:
            assert [record.offset for record in await take(consumer, 8)] == list(range(12, 20))
        committed = await admin.list_consumer_group_offsets(topic)
        assert committed[TopicPartition(topic, 0)].offset == 12

    async def test_members_share_the_partitions_and_a_leaving_ones_go_to_the_others(
        self, settings: Settings, admin: AIOKafkaAdminClient, topic: str
    ) -> None:
        await make(admin, topic)

        async def poll(consumer: AIOKafkaConsumer) -> None:
            while True:
                await consumer.getmany(timeout_ms=100)

        async with consuming(settings, topic, group_id=topic, heartbeat_interval_ms=500) as one:
            polling = [asyncio.create_task(poll(one))]
            async with consuming(settings, topic, group_id=topic, heartbeat_interval_ms=500) as two:
                polling.append(asyncio.create_task(poll(two)))

                async def shared() -> bool:
                    return sorted((len(one.assignment()), len(two.assignment()))) == [2, 2]

                await eventually(shared, 30)
                polling.pop().cancel()

            async def all_are_ones() -> bool:
                return len(one.assignment()) == PARTITIONS

            await eventually(all_are_ones, 30)
            polling.pop().cancel()

    async def test_a_member_without_partitions_is_admitted(
        self, settings: Settings, admin: AIOKafkaAdminClient, topic: str
    ) -> None:
        await admin.create_topics([NewTopic(topic, 1, 1)])
        async with consuming(settings, topic, group_id=topic) as one, consuming(settings, topic, group_id=topic) as two:

            async def one_partition_is_shared_by_two() -> bool:
                for consumer in (one, two):
                    await consumer.getmany(timeout_ms=50)
                return is_member(one) and is_member(two) and len(one.assignment() | two.assignment()) == 1

            await eventually(one_partition_is_shared_by_two, 30)

        async with consuming(settings, group_id=topic) as stranger:
            assert not is_member(stranger)

    async def test_topics_are_made_as_they_are_asked_for(
        self, admin: AIOKafkaAdminClient, settings: Settings, topic: str
    ) -> None:
        catalog = installed_catalog()
        own = settings.model_copy(update={"topic_prefix": topic, "events_retention_hours": 5})
        await asyncio.gather(*(ensure_topics(own, catalog) for _ in range(3)))  # several processes do so at once
        topics = Topics(own, catalog)

        for context, declared in catalog.contexts.items():
            wanted = {topics.events(context): declared.partitions, topics.signed_heads(context): 1}
            for found in await admin.describe_topics(list(wanted)):
                assert len(found["partitions"]) == wanted[found["topic"]]

    async def test_retention_and_compaction_are_kept_as_settings(
        self, admin: AIOKafkaAdminClient, settings: Settings, topic: str
    ) -> None:
        catalog = installed_catalog()
        own = settings.model_copy(update={"topic_prefix": topic, "events_retention_hours": 5})
        await ensure_topics(own, catalog)
        topics, context = Topics(own, catalog), next(iter(catalog.contexts))
        names = (topics.events(context), topics.signed_heads(context))

        asked = dict.fromkeys(("retention.ms", "cleanup.policy"))

        async def are_reported() -> bool:
            described = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name, asked) for name in names])
            resources = [resource for found in described for resource in found.resources]
            reported = {name: {entry[0]: entry[1] for entry in entries} for *_, name, entries in resources}
            retention, cleanup = reported[names[0]].get("retention.ms"), reported[names[1]].get("cleanup.policy")
            return (retention, cleanup) == (str(5 * 3_600_000), "compact")

        await eventually(are_reported)

    @pytest.mark.timeout(180)
    async def test_acknowledged_records_survive_a_restart(self, restartable: RestartableBroker | None, topic: str) -> None:
        if restartable is None:
            pytest.skip("THE BROKER CANNOT BE RESTARTED HERE: whether it keeps acknowledged records was not tested")
        settings = restartable.settings
        admin = new_admin(settings)
        await admin.start()
        await make(admin, topic)
        await admin.close()
        producer = await started_producer(settings)
        await send(producer, topic, [b"%d" % n for n in range(100)])
        await producer.stop()
        member = {"group_id": topic, "group_instance_id": "one"}
        async with consuming(settings, topic, **member) as consumer:
            await take(consumer, 100)
            await consumer.commit({TopicPartition(topic, 0): 60})

        await restartable.restart()

        async with consuming(settings, topic, **member) as consumer:
            assert [record.value for record in await take(consumer, 40, 60)] == [b"%d" % n for n in range(60, 100)]

    async def test_a_fetch_without_anything_to_bring_is_held(
        self, settings: Settings, admin: AIOKafkaAdminClient, topic: str, holds_empty_fetches: bool
    ) -> None:
        if not holds_empty_fetches:
            pytest.skip("THE BROKER ANSWERS EMPTY FETCHES AT ONCE: set CAUDAL_FETCH_BACKOFF for it")
        await make(admin, topic)
        consumer = new_consumer(settings.model_copy(update={"fetch_backoff": False}), "test", topic, fetch_max_wait_ms=500)
        await consumer.start()
        fetches, send_request = 0, consumer._client.send

        async def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal fetches
            fetches += 1
            return await send_request(*arguments, **options)

        consumer._client.send = counted
        started = time.monotonic()
        await consumer.getmany(timeout_ms=2000)
        assert time.monotonic() - started >= 1.9
        assert fetches < 20
        await consumer.stop()
