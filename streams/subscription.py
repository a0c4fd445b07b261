"""Subscriptions: topics to subscribers by Faust, a partition slice at a time; the only module that knows Faust.

Faust's own offsets are a hint from where to read on. What is applied is the subscriber's business: it keeps its position
with its effects, skips what it has seen and fetches from the log what is missing (`streams.continuity`). Where a
partition stands still though its log goes on, because the consumer has silently stopped, an offset was committed too far,
or the broker has lost its data, the subscription reads on from the log itself.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP
from prometheus_client import Gauge

from schemas.catalog import Catalog, ContextName
from schemas.errors import Malformed, Unavailable
from streams.codec import decode_event
from streams.continuity import REPAIRED
from streams.log import ReadableLog, partition_events
from streams.pacing import paced
from streams.rows import Row
from streams.settings import Settings
from streams.topics import Topics, ensure_topics

_log = structlog.get_logger()

_MOST_WAITING = 64
_SHORTEST_ROUND = 0.005

LAG = Gauge(
    "caudal_subscription_lag_positions",
    "Positions between a log's newest event and the checkpoint, in the partition that is furthest behind.",
    ["subscription", "context"],
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one partition of a context's topic, in order."""

    context: ContextName
    partition: int
    rows: Sequence[Row]


class Subscriber(Protocol):
    """Whoever follows the events of some contexts, partition by partition."""

    name: str
    contexts: frozenset[ContextName]

    async def position(self, context: ContextName, partition: int) -> int:
        """Where it stands: the position of the last event that it has dealt with."""
        ...

    async def take(self, slices: Sequence[Slice]) -> None:
        """Deals with slices, at most one of a partition; must skip what it has dealt with and let no hole stand."""
        ...

    def forget(self, context: ContextName, partition: int) -> None:
        """The partition has gone to another process: whatever is remembered of it is out of date from now on."""
        ...


class Subscription:
    """Feeds subscribers of one process from the topics, within the consumer group ``group``."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        group: str,
        subscribers: Sequence[Subscriber],
        logs: Mapping[ContextName, ReadableLog],
    ) -> None:
        self._settings, self._catalog, self._group, self._logs = settings, catalog, group, logs
        self._subscribers = subscribers
        self._topics = Topics(settings, catalog)
        self._contexts = sorted({context for subscriber in subscribers for context in subscriber.contexts})
        self._assigned: set[tuple[ContextName, int]] = set()
        self._dealing_since: float | None = None
        self._stood_since: dict[tuple[str, ContextName, int], tuple[int, float]] = {}

    async def run(self) -> None:
        """Runs until cancelled; starts anew where Faust breaks down, which it does when a broker goes for long."""
        if not self._subscribers:
            await asyncio.Event().wait()
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                with suppress(asyncio.TimeoutError):
                    try:
                        await ensure_topics(self._settings, self._catalog, self._contexts)
                        await self._run_faust()
                    except (Unavailable, KafkaError, OSError) as error:
                        _log.warning("subscribing again soon", group=self._group, why=str(error) or repr(error))
                await asyncio.sleep(1)
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _run_faust(self) -> None:
        app = self._app()
        try:
            await app.start()
            while not (app.should_stop or app.crashed):
                self._note_assignment(app.consumer.assignment())
                await asyncio.sleep(0.2)
            if app.crash_reason is not None:
                _log.warning("Faust broke down, starting it anew", group=self._group, why=repr(app.crash_reason))
        finally:
            await app.stop()

    def _note_assignment(self, partitions: Iterable[TP]) -> None:
        assigned = {(self._topics.context_of(tp.topic), tp.partition) for tp in partitions}
        for context, partition in self._assigned - assigned:
            for subscriber in self._subscribers:
                subscriber.forget(context, partition)
        self._assigned = assigned

    def _app(self) -> faust.App:
        settings = self._settings
        app = faust.App(
            f"{settings.topic_prefix}.{self._group}",
            broker=f"aiokafka://{settings.brokers.replace(',', ';aiokafka://')}",
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            autodiscover=False,
            consumer_auto_offset_reset="earliest",
            # Without a stable name, a killed worker's partitions stay orphaned for more than a minute.
            consumer_group_instance_id=f"{self._group}-{settings.instance}",
            broker_max_poll_records=settings.slice_records,
            broker_commit_interval=1.0,
            stream_wait_empty=False,
            ConsumerScheduler=_SliceScheduler,
        )
        app.transport = _PacedTransport(app.conf.broker_consumer, app)
        topic = app.topic(*map(self._topics.events, self._contexts), schema=_Untouched(), value_serializer="raw")
        app.agent(topic)(self._deliver)
        return app

    async def _deliver(self, stream: Any) -> None:
        """Collects what Faust hands over, and deals with all that has come in while the last was being dealt with."""
        arrived: asyncio.Queue[Any] = asyncio.Queue(maxsize=_MOST_WAITING)
        # Within a group, so that dealing cannot break down unnoticed while slices pile up.
        async with asyncio.TaskGroup() as tasks:
            dealing = tasks.create_task(self._deal(arrived))
            try:
                async for event in stream.noack().events():
                    await arrived.put(event)
            finally:
                dealing.cancel()
                self._dealing_since = None

    async def _deal(self, arrived: asyncio.Queue[Any]) -> None:
        while True:
            events = [await arrived.get()]
            while not arrived.empty():
                events.append(arrived.get_nowait())
            began = self._dealing_since = time.monotonic()
            await self._hand_over(self._slices(events))
            self._dealing_since = None if arrived.empty() else time.monotonic()
            for event in events:
                event.ack()
            # At once when idle; under load a pause that costs little time lets much more come together.
            await asyncio.sleep(max(0.0, began + _SHORTEST_ROUND - time.monotonic()))

    def _slices(self, events: Sequence[Any]) -> list[Slice]:
        rows: dict[tuple[ContextName, int], list[Row]] = {}
        for event in events:
            tp = event.message.tp
            rows.setdefault((self._topics.context_of(tp.topic), tp.partition), []).extend(_rows(event.value))
        return [Slice(context, partition, found) for (context, partition), found in sorted(rows.items())]

    async def _hand_over(self, slices: Sequence[Slice]) -> None:
        """Gives slices to every subscriber of their contexts, as often as it takes: order leaves no other way."""
        for subscriber in self._subscribers:
            wanted = [slice for slice in slices if slice.context in subscriber.contexts]
            pause = 0.1
            while wanted:
                try:
                    await subscriber.take(wanted)
                    break
                except Exception as error:
                    log = _log.warning if isinstance(error, Unavailable) else _log.exception
                    log(
                        "delivering again soon",
                        subscription=subscriber.name,
                        why=str(error) or repr(error),
                        seconds=pause,
                    )
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5)

    async def _watch(self) -> None:
        """Compares what is applied with the logs, and reads on from the log where a partition stands still."""
        while True:
            await asyncio.sleep(self._settings.stall_seconds / 3)
            if self._dealing_since is not None:
                # Whatever stands still now does so because there is so much to do.
                self._stood_since.clear()
            for context in {context for context, _ in self._assigned}:
                try:
                    head = await self._logs[context].head()
                    for subscriber in self._subscribers:
                        if context in subscriber.contexts:
                            await self._compare(subscriber, context, head.partitions)
                except Unavailable as error:
                    _log.debug("cannot compare with the log", context=str(context), why=error.detail)
                except Exception:
                    _log.exception("comparing with the log failed", context=str(context))

    async def _compare(self, subscriber: Subscriber, context: ContextName, heads: Sequence[int]) -> None:
        lag = 0
        for partition in [p for c, p in self._assigned if c == context]:
            position = await subscriber.position(context, partition)
            mark = (subscriber.name, context, partition)
            stood_at, since = self._stood_since.get(mark, (-1, 0.0))
            if position >= heads[partition] or position != stood_at:
                self._stood_since[mark] = (position, time.monotonic())
            elif time.monotonic() - since > self._settings.stall_seconds:
                await self._read_on(subscriber, context, partition, position, heads[partition])
                self._stood_since.pop(mark)
            lag = max(lag, heads[partition] - position)
        LAG.labels(subscriber.name, str(context)).set(lag)

    async def _read_on(self, subscriber: Subscriber, context: ContextName, partition: int, after: int, upto: int) -> None:
        _log.warning(
            "a partition stands still, reading on from the log",
            subscription=subscriber.name,
            context=str(context),
            partition=partition,
            after=after,
            upto=upto,
        )
        async for rows in partition_events(self._logs[context], partition, after, upto):
            REPAIRED.labels(subscriber.name, str(context)).inc(len(rows))
            await subscriber.take([Slice(context, partition, rows)])


class _PacedThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Transport) -> Any:
        return paced(super()._create_worker_consumer(transport))


class _PacedConsumer(Consumer):
    def _new_consumer_thread(self) -> Any:
        return _PacedThread(self, loop=self.loop, beacon=self.beacon)


class _PacedTransport(Transport):
    Consumer = _PacedConsumer


class _Slice:
    """What Faust takes for a record: the newest record's coordinates, and all records as its value."""

    __slots__ = (
        "checksum",
        "headers",
        "key",
        "offset",
        "partition",
        "serialized_key_size",
        "serialized_value_size",
        "timestamp",
        "timestamp_type",
        "topic",
        "value",
    )

    def __init__(self, records: Sequence[Any]) -> None:
        newest = records[-1]
        self.topic, self.partition, self.offset = newest.topic, newest.partition, newest.offset
        self.timestamp, self.timestamp_type = newest.timestamp, newest.timestamp_type
        self.key, self.checksum = newest.key, newest.checksum
        self.serialized_key_size, self.serialized_value_size = newest.serialized_key_size, newest.serialized_value_size
        self.value, self.headers = records, ()


class _SliceScheduler(DefaultSchedulingStrategy):
    """Hands each fetched partition slice over as one event: fifty times the rate of one record at a time."""

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        for tp, found in records.items():
            slice_of_tp = list(found)
            if slice_of_tp:
                yield tp, _Slice(slice_of_tp)


class _Untouched(faust.Schema[Any, Any]):
    """Leaves key and value as the client gave them: decoding belongs to the slice, not to the record."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(message.key, message.value, message.headers, message)

        return decode


def _rows(records: Sequence[Any]) -> Iterator[Row]:
    for record in records:
        try:
            yield decode_event(record)
        except Malformed as error:
            # Not from a log of ours, so no subscriber waits for it.
            _log.warning("passed over a strange record", why=error.detail)
