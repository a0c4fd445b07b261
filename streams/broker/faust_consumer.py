"""Faust as a source of partition batches; the only module that imports it.

Faust by itself delivers one record at a time, some 5,000 a second. Through its documented ``ConsumerScheduler`` it delivers a
whole batch of a partition as one event, at fifty times the rate::

    consumer thread ── fetch ──> _BatchScheduler ── one event a batch ──> _collect ── queue ──> _deliver_all ──> deliver
    of aiokafka                  joins the records                        (the agent)           joins what has
                                 of a partition                                                 arrived meanwhile

Offsets are only a hint where to resume: they are acknowledged when a batch was delivered, and a subscriber knows by positions
which events it has seen.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import faust
import structlog
from aiokafka import TopicPartition
from faust.auth import OAuthCredentials
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP
from mode.threads import WorkerThread

from streams.broker.clients import (
    METADATA_MS,
    OUTAGES,
    abort,
    client_id,
    is_member,
    leave_unless_member,
    new_admin,
    new_consumer,
    start,
    stop_quietly,
    time_limit,
)
from streams.broker.fetch_backoff import with_fetch_backoff
from streams.broker.own_tasks import in_own_task, stop_or_abort
from streams.broker.security import security_options
from streams.settings import Settings

_log = structlog.get_logger()
_MAX_WAITING_BATCHES = 64
_MIN_ROUND_SECONDS = 0.005
_ASSIGNMENT_SECONDS = 0.2
_MAX_START_SECONDS = 30.0
_MAX_STOP_SECONDS = 2.5
_MAX_COMMIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of one partition, in order, as the Kafka client returned them."""

    topic: str
    partition: int
    records: Sequence[Any]


class FaustConsumer:
    """Consumes topics within a consumer group."""

    def __init__(
        self,
        settings: Settings,
        group: str,
        topics: Mapping[str, int],
        deliver: Callable[[Sequence[Fetched]], Awaitable[None]],
        on_assignment: Callable[[Iterable[tuple[str, int]], bool], None],
    ) -> None:
        """``topics`` have the number of partitions that are consumed; a topic may have more, which are ignored.

        ``deliver`` gets everything that has arrived, one call at a time; ``on_assignment`` gets the partitions (topic and
        number) of this process, and whether it is a member of the group, five times a second.
        """
        self._settings, self._group, self._topics = settings, group, topics
        self._deliver, self._on_assignment = deliver, on_assignment
        self._group_id = f"{settings.topic_prefix}.{group}"
        self._assigned: set[tuple[str, int]] = set()
        self._taken: dict[tuple[str, int], int] = {}
        """The offset after the newest record that arrived, by topic and partition."""
        self.has_undelivered = False
        """Whether records have arrived that are not delivered yet."""

    async def run(self) -> None:
        """Runs until cancelled, or returns when Faust has crashed, as it does if the broker is out of reach for long."""
        app = self._app()
        try:
            await in_own_task(app.start(), _MAX_START_SECONDS)
            while not (app.should_stop or app.crashed):
                self._assigned = {(tp.topic, tp.partition) for tp in app.consumer.assignment() if self._is_consumed(tp)}
                self._taken = {tp: offset for tp, offset in self._taken.items() if tp in self._assigned}
                self._on_assignment(self._assigned, _is_member(app))
                await asyncio.sleep(_ASSIGNMENT_SECONDS)
            if app.crash_reason is not None:
                _log.warning("consumer crashed", group=self._group, why=repr(app.crash_reason))
        finally:
            await stop_or_abort({app.stop(): partial(_abort, app)}, _MAX_STOP_SECONDS)

    def _is_consumed(self, tp: TP) -> bool:
        return tp.partition < self._topics[tp.topic]

    async def is_left_behind(self) -> bool:
        """Returns whether the broker holds records of the assigned partitions that did not arrive; false if none answers."""
        client, admin = new_consumer(self._settings, self._group), new_admin(self._settings, self._group)
        partitions = [TopicPartition(*tp) for tp in self._assigned]
        try:
            await start(client)
            await start(admin)
            async with time_limit(self._settings):
                ends = await client.end_offsets(partitions)
                committed = await admin.list_consumer_group_offsets(self._group_id, partitions=partitions)
        except OUTAGES:
            return False
        finally:
            await stop_quietly(client, admin)
        return any(ends[tp] > self._taken.get(tuple(tp), max(committed[tp].offset, 0)) for tp in partitions)

    def _app(self) -> faust.App:
        settings = self._settings
        app = _TablelessApp(
            self._group_id,
            broker=f"aiokafka://{settings.brokers.replace(',', ';aiokafka://')}",
            broker_credentials=_credentials(settings),
            broker_client_id=client_id(settings, self._group),
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            autodiscover=False,
            consumer_auto_offset_reset="earliest",
            # Without a stable name, the partitions of a killed process have no owner for more than a minute.
            consumer_group_instance_id=f"{self._group}-{settings.instance}",
            broker_max_poll_records=settings.subscription_batch_records,
            broker_commit_interval=1.0,
            consumer_metadata_max_age_ms=METADATA_MS,
            stream_wait_empty=False,
            stream_buffer_maxsize=16,  # batches, not records
            ConsumerScheduler=_BatchScheduler,
        )
        app.transport = (_BackoffTransport if settings.fetch_backoff else _Transport)(app.conf.broker_consumer, app)
        app.agent(app.topic(*self._topics, schema=_Untouched(), value_serializer="raw"))(self._collect)
        return app

    async def _collect(self, stream: Any) -> None:
        arrived: asyncio.Queue[Any] = asyncio.Queue(maxsize=_MAX_WAITING_BATCHES)
        # In a task group, so that a failed delivery ends the agent instead of letting batches pile up.
        async with asyncio.TaskGroup() as tasks:
            delivering = tasks.create_task(self._deliver_all(arrived))
            try:
                async for event in stream.noack().events():
                    await arrived.put(event)
            finally:
                delivering.cancel()
                self.has_undelivered = False

    async def _deliver_all(self, arrived: asyncio.Queue[Any]) -> None:
        while True:
            events = [await arrived.get()]
            self.has_undelivered, began = True, time.monotonic()
            while not arrived.empty():
                events.append(arrived.get_nowait())
            for event in events:
                self._taken[tuple(event.message.tp)] = event.value[-1].offset + 1
            wanted = [event for event in events if self._is_consumed(event.message.tp)]
            await self._deliver([Fetched(e.message.tp.topic, e.message.tp.partition, e.value) for e in wanted])
            for event in events:
                event.ack()
            self.has_undelivered = not arrived.empty()
            # At once when idle; under load a pause that costs little time collects many more records.
            await asyncio.sleep(max(0.0, began + _MIN_ROUND_SECONDS - time.monotonic()))


class _TablelessApp(faust.App):
    def _create_directories(self) -> None:
        """Creates none: there are no tables, and the working directory of a process stays clean."""


def _credentials(settings: Settings) -> Any:
    """Returns the security of the settings in Faust's form; ``None`` for plain connections without authentication."""
    options = security_options(settings)
    tls = options.get("ssl_context")
    match options.get("sasl_mechanism"):
        case None:
            return None if tls is None else faust.SSLCredentials(tls)
        case "OAUTHBEARER":
            return OAuthCredentials(oauth_cb=options["sasl_oauth_token_provider"], ssl_context=tls)
        case mechanism:
            return faust.SASLCredentials(
                username=options["sasl_plain_username"],
                password=options["sasl_plain_password"],
                ssl_context=tls,
                mechanism=mechanism,
            )


def _is_member(app: faust.App) -> bool:
    consuming: Any = app.consumer
    return consuming._thread._consumer is not None and is_member(consuming._thread._consumer)


def _abort(app: faust.App) -> None:
    """Ends the connections of an app's consumer, which belong to the event loop of its thread."""
    consuming: Any = app.consumer
    thread = consuming._thread
    consumer = None if thread is None else thread._consumer
    if consumer is not None and not thread.thread_loop.is_closed():
        thread.thread_loop.call_soon_threadsafe(abort, consumer)


class _WorkerThread(WorkerThread):
    """A thread that outlives neither the process nor blocks its event loop if the broker is silent while it stops."""

    def __init__(self, service: Any, **options: Any) -> None:
        super().__init__(service, **options)
        self.daemon = True

    def stop(self) -> None:
        """Returns at once: the thread ends by itself. The method of the superclass would block the event loop until then."""


class _Thread(AIOKafkaConsumerThread):
    Worker = _WorkerThread

    async def on_thread_stop(self) -> None:
        """Stops the consumer as the superclass does, but within a limit."""
        await super(AIOKafkaConsumerThread, self).on_thread_stop()
        if self._consumer is not None:
            leave_unless_member(self._consumer)
            await stop_quietly(self._consumer)


class _Consumer(Consumer):
    async def on_stop(self) -> None:
        """Commits offsets as the superclass does, which waits for a silent broker for ever. They are only a hint."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_MAX_COMMIT_SECONDS):
                await super().on_stop()

    def _new_consumer_thread(self) -> Any:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class _Transport(Transport):
    Consumer = _Consumer


class _BackoffThread(_Thread):
    def _create_worker_consumer(self, transport: Transport) -> Any:
        return with_fetch_backoff(super()._create_worker_consumer(transport))


class _BackoffConsumer(_Consumer):
    def _new_consumer_thread(self) -> Any:
        return _BackoffThread(self, loop=self.loop, beacon=self.beacon)


class _BackoffTransport(_Transport):
    Consumer = _BackoffConsumer


class _Batch:
    """A batch in the form of one record, for Faust: the coordinates of the newest record, and all records as the value."""

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
    """Delivers each fetched batch of a partition as one event."""

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        for tp, found in records.items():
            batch = list(found)
            if batch:
                yield tp, _Batch(batch)


class _Untouched(faust.Schema[Any, Any]):
    """Leaves key and value as the client returned them: the batch is decoded later, not each record."""

    def compile(self, app: Any, **_: Any) -> Any:
        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(message.key, message.value, message.headers, message)

        return decode
