"""The relay: publishes each log to its topic. The log is the outbox; the cursor moves after the broker's acknowledgement."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge

from schemas.catalog import Catalog, ContextName
from schemas.errors import LeaseLost, Malformed, Unavailable
from streams.broker.cloudevents import BACKFILLED, decode_event
from streams.broker.fetch_backoff import paced
from streams.broker.publishing import Acknowledged, publish
from streams.broker.topics import Topics, ensure_topics, records_up_to, start, started_producer, stop_quietly
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.reading import PostgresLog
from streams.log.stored_events import StoredEvent
from streams.relay.fair_share import Share
from streams.relay.lease import Lease
from streams.settings import Settings
from streams.telemetry.tracing import note_events

_log = structlog.get_logger()

_SHORTEST_ROUND = 0.005
_LOOK_UP_MS = 3000
_LOOKED_AT = 500
"""So many of a partition's newest records are looked at for holes, and a batch more: one may follow upon a loss."""

PUBLISHED = Counter("caudal_relay_events", "Events acknowledged by the broker.", ["context"])
REFILLED = Counter("caudal_relay_refills", "Times that a topic was found behind its log and filled up again.", ["context"])
LAG = Gauge("caudal_relay_lag_events", "Events in the log that are not acknowledged yet.", ["context"])
LAG_SECONDS = Gauge(
    "caudal_relay_lag_seconds", "Age of the oldest event that was not acknowledged when last looked.", ["context"]
)


class BehindTheLog(Exception):
    """The topic does not hold what it was acknowledged to hold: the broker has lost data."""


class Relay:
    """Publishes one context's log while it holds the log's lease.

    A topic is checked against the log whenever the relay connects and while it is idle, so a broker that has lost
    records, or everything, is filled up again. Repeated records are harmless: subscribers know their positions.
    """

    def __init__(
        self, settings: Settings, catalog: Catalog, databases: Databases, context: ContextName, owner: str, share: Share
    ) -> None:
        self._settings, self._catalog, self._context = settings, catalog, context
        store = Store.of_log(databases, settings.log_dsn(context), context)
        self._log = PostgresLog(store, context)
        self._lease = Lease(store, owner, settings.relay_lease_seconds)
        self._share = share
        self._topic = Topics(settings, catalog).events(context)
        self._appended = asyncio.Event()
        self._offsets: dict[int, int] = {}
        self._lost_up_to = 0
        """What is published up to here was in the topic before, and was lost."""
        self.is_cared_for = False
        """Whether this or another relay publishes the log, as far as is known."""
        self.is_owner = False
        """Whether this relay holds the log's lease."""

    def wake(self) -> None:
        """Tells the relay that something was appended."""
        self._appended.set()

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database and changes of owner."""
        pause = 0.1
        while True:
            try:
                cursor = await self._take_over()
                if cursor is None:
                    self.is_cared_for = await self._lease.is_held()
                    await asyncio.sleep(self._settings.relay_lease_seconds / 4)
                    continue
                _log.info("relaying", context=str(self._context), position=cursor)
                pause = 0.1
                self.is_owner = True
                await self._publish_while_owner(cursor)
                _log.info("leaving a log to another process", context=str(self._context))
            except LeaseLost as lost:
                _log.warning("another relay took over", context=str(self._context), why=lost.detail)
            except (Unavailable, KafkaError, BehindTheLog, OSError) as error:
                self.is_cared_for = False
                _log.warning("relaying again soon", context=str(self._context), why=str(error) or repr(error), seconds=pause)
                await self._step_back()
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5)
            except asyncio.CancelledError:
                await self._step_back()
                raise
            finally:
                self.is_owner = False
                for lag in (LAG, LAG_SECONDS):
                    with suppress(KeyError):
                        lag.remove(str(self._context))  # whoever relays it now tells
                self._share.give_up(self._context)
                with suppress(Unavailable):
                    await self._lease.release()

    async def _take_over(self) -> int | None:
        """The cursor's position if the log is this process's now; ``None`` where it is another's, or should be."""
        processes = await self._lease.announce()
        if not self._share.take(self._context, processes):
            return None
        cursor = await self._lease.take()
        if cursor is None:
            self._share.give_up(self._context)
        return cursor

    async def _step_back(self) -> None:
        """Lets others have what this process cannot relay now."""
        with suppress(Unavailable):
            await self._lease.withdraw()

    async def _publish_while_owner(self, cursor: int) -> None:
        """Publishes until it is another process's turn; raises `LeaseLost` where one took over already."""
        await ensure_topics(self._settings, self._catalog, [self._context])
        producer = await started_producer(self._settings)
        # A short time-out: a topic that is gone must be noticed, made and filled again, not waited for.
        consumer = paced(
            AIOKafkaConsumer(bootstrap_servers=self._settings.brokers, enable_auto_commit=False, request_timeout_ms=_LOOK_UP_MS)
        )
        ahead = _ReadAhead(self._log, self._settings.relay_batch_events)
        try:
            await start(consumer)
            cursor = await self._resume_at(consumer, cursor)
            self.is_cared_for = True
            checked = time.monotonic()
            while True:
                if await self._lease.renew_in_time() and self._share.is_too_much(await self._lease.announce()):
                    self._share.give_up(self._context)  # at once: one that goes is enough
                    return
                self._appended.clear()
                rows = await ahead.after(cursor)
                LAG_SECONDS.labels(str(self._context)).set(time.time() - rows[0].recorded_at.timestamp() if rows else 0)
                if rows:
                    cursor = await self._publish(producer, rows)
                    await self._lease.move(cursor)
                    PUBLISHED.labels(str(self._context)).inc(len(rows))
                if time.monotonic() - checked > 1:
                    await self._check_offsets(consumer)
                    LAG.labels(str(self._context)).set((await self._log.head()).position - cursor)
                    checked = time.monotonic()
                if ahead.is_reading:
                    continue
                if rows:
                    # At once when idle; under load a pause that costs little time lets much more come together.
                    await asyncio.sleep(_SHORTEST_ROUND)
                with suppress(TimeoutError):
                    # `asyncio.wait_for` would forget a cancellation that comes together with what it waits for (Python 3.11).
                    async with asyncio.timeout(self._settings.relay_poll_seconds):
                        await self._appended.wait()
        finally:
            await ahead.stop()
            await stop_quietly(consumer)
            await stop_quietly(producer)

    async def _publish(self, producer: AIOKafkaProducer, rows: Sequence[StoredEvent]) -> int:
        """Publishes rows in order and returns the last one's position once all are acknowledged."""
        lost = [row for row in rows if row.position <= self._lost_up_to]
        for some, marks in ((lost, [BACKFILLED]), (rows[len(lost) :], ())):
            if some:
                began = time.time_ns()
                self._note(await publish(producer, self._topic, self._context, some, marks))
                note_events(f"publish {self._context}", some, began, "publish")
        return rows[-1].position

    def _note(self, acknowledged: Sequence[Acknowledged]) -> None:
        for done in acknowledged:
            if done.first <= self._offsets.get(done.partition, -1):
                raise BehindTheLog(f"{self._topic} went back to offset {done.first}: the broker has lost records")
            self._offsets[done.partition] = done.last

    async def _resume_at(self, consumer: AIOKafkaConsumer, cursor: int) -> int:
        """The position up to which the topic really holds the log: the cursor, or less where records are missing."""
        head = await self._log.head()
        resume = cursor
        self._offsets = {}
        for partition, newest in enumerate(head.partitions):
            held = await self._newest_held(consumer, partition, newest)
            consumer.unsubscribe()
            if held < min(newest, await self._expected(partition, newest, cursor)):
                resume = min(resume, held)
        self._lost_up_to = cursor if resume < cursor else 0
        if resume < cursor:
            REFILLED.labels(str(self._context)).inc()
            _log.warning("the topic is behind its log, filling it up", context=str(self._context), after=resume, up_to=cursor)
        return resume

    async def _expected(self, partition: int, newest: int, cursor: int) -> int:
        """Position of the partition's newest event at or below the cursor."""
        if newest <= cursor:
            return newest
        # What came after the cursor is still to be published; look back for the last one before it.
        up_to, span = cursor, 1000
        while up_to > 0:
            rows = await self._log.read_partition(partition, max(0, up_to - span), up_to, span)
            if rows:
                return rows[-1].position
            up_to, span = up_to - span, span * 2
        return 0

    async def _newest_held(self, consumer: AIOKafkaConsumer, partition: int, newest: int) -> int:
        """Position up to which a partition of the topic holds its events, as far as its newest records tell; 0 for none.

        Whoever else writes to a topic that was lost must not hide that: behind a hole nothing counts, until it is filled.
        """
        tp = TopicPartition(self._topic, partition)
        end = (await consumer.end_offsets([tp]))[tp]
        self._offsets[partition] = end - 1
        start = (await consumer.beginning_offsets([tp]))[tp]
        if end == start:
            # Emptied by retention, or never filled: offsets tell which, for they do not go back.
            return newest if end else 0
        first = max(start, end - self._settings.relay_batch_events - _LOOKED_AT)
        consumer.assign([tp])
        consumer.seek(tp, first)
        begin = 0 if first == 0 else None
        held: list[tuple[int, int]] = []
        async for records in records_up_to(consumer, tp, end):
            for record in records:
                try:
                    event = decode_event(record)
                except Malformed:
                    continue  # anyone may have written to the topic
                if begin is None and BACKFILLED not in record.headers:
                    begin = event.position
                held.append((event.position, event.previous))
        return _unbroken(sorted(held), begin)

    async def _check_offsets(self, consumer: AIOKafkaConsumer) -> None:
        ends = await consumer.end_offsets([TopicPartition(self._topic, partition) for partition in self._offsets])
        for tp, end in ends.items():
            if end <= self._offsets[tp.partition]:
                raise BehindTheLog(f"{self._topic}/{tp.partition} ends at offset {end}: the broker has lost records")


def _unbroken(held: Sequence[tuple[int, int]], begin: int | None) -> int:
    """Up to which position events, each with its predecessor's, follow one another from ``begin``, or else from the first."""
    reached = (held[0][0] if held else 0) if begin is None else begin
    for position, previous in held:
        if previous > reached:
            break
        reached = max(reached, position)
    return reached


class _ReadAhead:
    """Reads the next rows of a log while those before them are published."""

    def __init__(self, log: PostgresLog, limit: int) -> None:
        self._log, self._limit = log, limit
        self._reading: asyncio.Task[Sequence[StoredEvent]] | None = None

    @property
    def is_reading(self) -> bool:
        """Whether there is more to come at once."""
        return self._reading is not None

    async def after(self, cursor: int) -> Sequence[StoredEvent]:
        """The rows above a cursor that stands where the last ones ended."""
        reading, self._reading = self._reading, None
        rows = await (reading if reading is not None else self._log.read(cursor, self._limit))
        if len(rows) == self._limit:
            self._reading = asyncio.create_task(self._log.read(rows[-1].position, self._limit))
        return rows

    async def stop(self) -> None:
        """Reads no further."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
