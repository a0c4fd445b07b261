"""Faust as a source of partition batches; the only module that knows it.

Stock Faust hands over one record at a time, some 5,000 a second. Through its documented ``ConsumerScheduler`` it hands over a
whole batch of a partition as one event, at fifty times the rate. Its offsets are a hint from where to read on and no more: they
are acknowledged when a batch has been dealt with, and whoever deals with batches knows by position what it has seen.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import faust
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from streams.broker.fetch_backoff import paced
from streams.broker.topics import stop_quietly
from streams.settings import Settings

_log = structlog.get_logger()
_MAX_WAITING = 64
_SHORTEST_ROUND = 0.005
_ASSIGNMENT_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of one partition, in order, as the Kafka client gave them."""

    topic: str
    partition: int
    records: Sequence[Any]


class FaustConsumer:
    """Consumes topics within a consumer group and gives everything that has come in to ``deal``, one call at a time.

    ``assigned`` is told again and again which partitions (topic and number) this process has.
    """

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Sequence[str],
        deal: Callable[[Sequence[Fetched]], Awaitable[None]],
        assigned: Callable[[Iterable[tuple[str, int]]], None],
    ) -> None:
        self._settings, self._group, self._topics = settings, group, topics
        self._deal, self._assigned = deal, assigned
        self._group_id = f"{settings.topic_prefix}.{group}"
        self._ours: set[tuple[str, int]] = set()
        self._taken: dict[tuple[str, int], int] = {}
        """The offset after the newest record that came, by topic and partition."""
        self.is_dealing = False
        """Whether there is something at hand that is not dealt with."""

    async def run(self) -> None:
        """Runs until cancelled, or returns when Faust has broken down, which it does when a broker goes for long."""
        app = self._app()
        try:
            await app.start()
            while not (app.should_stop or app.crashed):
                self._ours = {(tp.topic, tp.partition) for tp in app.consumer.assignment()}
                self._taken = {tp: offset for tp, offset in self._taken.items() if tp in self._ours}
                self._assigned(self._ours)
                await asyncio.sleep(_ASSIGNMENT_SECONDS)
            if app.crash_reason is not None:
                _log.warning("Faust broke down", group=self._group, why=repr(app.crash_reason))
        finally:
            await app.stop()

    async def is_left_behind(self) -> bool:
        """Whether the broker holds records of its partitions that it has not taken; no where no broker answers."""
        client = AIOKafkaConsumer(bootstrap_servers=self._settings.brokers, group_id=None)
        admin = AIOKafkaAdminClient(bootstrap_servers=self._settings.brokers)
        partitions = [TopicPartition(*tp) for tp in self._ours]
        try:
            await client.start()
            await admin.start()
            ends = await client.end_offsets(partitions)
            committed = await admin.list_consumer_group_offsets(self._group_id, partitions=partitions)
        except (KafkaError, OSError):
            return False
        finally:
            await stop_quietly(client)
            await admin.close()
        return any(ends[tp] > self._taken.get(tuple(tp), max(committed[tp].offset, 0)) for tp in partitions)

    def _app(self) -> faust.App:
        settings = self._settings
        app = _TablelessApp(
            self._group_id,
            broker=f"aiokafka://{settings.brokers.replace(',', ';aiokafka://')}",
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            autodiscover=False,
            consumer_auto_offset_reset="earliest",
            # Without a stable name, a killed worker's partitions stay orphaned for more than a minute.
            consumer_group_instance_id=f"{self._group}-{settings.instance}",
            broker_max_poll_records=settings.subscription_batch_records,
            broker_commit_interval=1.0,
            stream_wait_empty=False,
            stream_buffer_maxsize=16,  # batches, not records
            ConsumerScheduler=_BatchScheduler,
        )
        app.transport = _PacedTransport(app.conf.broker_consumer, app)
        app.agent(app.topic(*self._topics, schema=_Untouched(), value_serializer="raw"))(self._collect)
        return app

    async def _collect(self, stream: Any) -> None:
        arrived: asyncio.Queue[Any] = asyncio.Queue(maxsize=_MAX_WAITING)
        # Within a group, so that dealing cannot break down unnoticed while batches pile up.
        async with asyncio.TaskGroup() as tasks:
            dealing = tasks.create_task(self._deal_with(arrived))
            try:
                async for event in stream.noack().events():
                    await arrived.put(event)
            finally:
                dealing.cancel()
                self.is_dealing = False

    async def _deal_with(self, arrived: asyncio.Queue[Any]) -> None:
        while True:
            events = [await arrived.get()]
            self.is_dealing, began = True, time.monotonic()
            while not arrived.empty():
                events.append(arrived.get_nowait())
            for event in events:
                self._taken[tuple(event.message.tp)] = event.value[-1].offset + 1
            await self._deal([Fetched(e.message.tp.topic, e.message.tp.partition, e.value) for e in events])
            for event in events:
                event.ack()
            self.is_dealing = not arrived.empty()
            # At once when idle; under load a pause that costs little time lets much more come together.
            await asyncio.sleep(max(0.0, began + _SHORTEST_ROUND - time.monotonic()))


class _TablelessApp(faust.App):
    def _create_directories(self) -> None:
        """There are no tables to keep: nothing is left in the folder a process was started in."""


class _PacedThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Transport) -> Any:
        return paced(super()._create_worker_consumer(transport))


class _PacedConsumer(Consumer):
    def _new_consumer_thread(self) -> Any:
        return _PacedThread(self, loop=self.loop, beacon=self.beacon)


class _PacedTransport(Transport):
    Consumer = _PacedConsumer


class _Batch:
    """What Faust takes for a record: the newest record's coordinates, and all records as its value."""

    __slots__ = (
        "checksum", "headers", "key", "offset", "partition", "serialized_key_size", "serialized_value_size", "timestamp",
        "timestamp_type", "topic", "value",
    )  # fmt: skip

    def __init__(self, records: Sequence[Any]) -> None:
        newest = records[-1]
        self.topic, self.partition, self.offset = newest.topic, newest.partition, newest.offset
        self.timestamp, self.timestamp_type = newest.timestamp, newest.timestamp_type
        self.key, self.checksum = newest.key, newest.checksum
        self.serialized_key_size, self.serialized_value_size = newest.serialized_key_size, newest.serialized_value_size
        self.value, self.headers = records, ()


class _BatchScheduler(DefaultSchedulingStrategy):
    """Hands each fetched partition batch over as one event."""

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        for tp, found in records.items():
            batch = list(found)
            if batch:
                yield tp, _Batch(batch)


class _Untouched(faust.Schema[Any, Any]):
    """Leaves key and value as the client gave them: decoding belongs to the batch, not to the record."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(message.key, message.value, message.headers, message)

        return decode
