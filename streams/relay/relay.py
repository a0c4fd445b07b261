"""The relay: publishes one log to its topic. The log is the outbox; the cursor moves after the broker's acknowledgement.

::

    take the lease ──> find the topic's position ──> publish ──> acknowledged ──> move the cursor ──> …
         ▲                                                                                           │
         └── wait ── another process holds the lease, the broker or the database is out of reach ────┘

A process that dies between the acknowledgement and the move leaves the cursor behind. The next owner finds by the newest
records of each partition what the topic holds, and does not publish it again. Of two owners at once, subscribers skip the
repeats by their positions.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

import structlog
from aiokafka import AIOKafkaConsumer
from prometheus_client import Counter, Gauge

from schemas.errors import LeaseLost, Unavailable, WentBack
from schemas.system import ContextName
from streams.broker.clients import OUTAGES, new_consumer, start, started_producer, stop_quietly
from streams.broker.cloudevents import BACKFILLED, Headers, timeline_headers
from streams.broker.provisioning import PUBLISHED, ensure_topics
from streams.broker.topic_names import Topics
from streams.database.merged_reads import until_next
from streams.installation import Installation, integration_store
from streams.integration_topics.records import IntegrationRecords
from streams.log.reading import PostgresLog, is_full
from streams.log.stored_events import StoredEvent
from streams.log.timelines import Timelines
from streams.relay.fair_share import FairShare
from streams.relay.lease import Lease
from streams.relay.partitions import BLOCKED, Partitions
from streams.relay.topic_position import BehindTheLog, Diverged, Resumption, TopicPosition
from streams.telemetry.retrying import Backoff, raise_if_cancelled, reason

_log = structlog.get_logger()

_MIN_ROUND_SECONDS = 0.005
_CHECK_SECONDS = 1
_LOOK_UP_MS = 3000
_MAX_EVENTS_AHEAD = 100_000
"""Number of events between the cursor and the last event that was read: how far a blocked partition falls behind the others."""

REFILLED = Counter("caudal_relay_refills", "Times that a topic was behind its log and was filled again.", ["context"])
LAG = Gauge("caudal_relay_lag_events", "Events of the log that the broker has not acknowledged yet.", ["context"])
LAG_SECONDS = Gauge(
    "caudal_relay_lag_seconds", "Age of the oldest event that was not acknowledged at the last reading of the log.", ["context"]
)


class Relay:
    """Publishes one context's log while this process holds the log's lease.

    The topic is compared with the log whenever the relay connects and every second while it runs, so the topic of a broker
    that has lost records is filled again. Repeated records are harmless: subscribers know their positions.
    """

    def __init__(self, installation: Installation, context: ContextName, owner: str, share: FairShare) -> None:
        self._settings, self._catalog, self._context = installation.settings, installation.catalog, context
        store = self._store = installation.log_store(context)
        self._log = PostgresLog(store, context)
        self._integration_store = integration_store(self._settings, installation.databases)
        self._lease = Lease(store, owner, self._settings.relay_lease_seconds)
        self._share = share
        self._topic = Topics(self._settings, self._catalog).events(context)
        self._position = TopicPosition(self._log, self._topic, self._settings.relay_batch_events)
        self._partitions = Partitions(self._settings, self._log, self._topic, self._position, self._headers)
        self._appended = asyncio.Event()
        self._lost_up_to = 0
        """Events up to this position were in the topic before and were lost."""
        self.is_published = False
        """Whether this or another relay publishes the log, as far as this process knows."""
        self.is_owner = False
        """Whether this relay holds the log's lease."""
        self.why_stopped: str | None = None
        """Why the log is not published until an operator has decided; ``None`` if it is."""
        self.why_interrupted: str | None = None
        """Why the last attempt to publish failed; ``None`` while the log is published, and before the first attempt."""
        self.problem: str | None = None
        """Which partitions are not published, and why; ``None`` if all are."""
        self._timelines = Timelines()

    def wake(self) -> None:
        """Makes the relay read the log now instead of at its next poll."""
        self._appended.set()

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database and changes of owner."""
        backoff, clock = Backoff("relay interrupted", context=str(self._context)), asyncio.get_running_loop()
        while True:
            try:
                raise_if_cancelled()
                cursor = await self._take_over()
                if cursor is None:
                    self.is_published, self.why_interrupted = await self._lease.is_held(), None
                    await asyncio.sleep(self._settings.relay_lease_seconds / 4)
                    continue
                _log.info("relay lease taken", context=str(self._context), position=cursor)
                self.is_owner, began = True, clock.time()
                try:
                    await self._publish_while_owner(cursor)
                finally:
                    backoff.reset_after(clock.time() - began)
                _log.info("relay lease yielded", context=str(self._context))
            except LeaseLost as lost:
                _log.warning("relay lease lost", context=str(self._context), why=lost.detail)
            except (Unavailable, BehindTheLog, WentBack, *OUTAGES) as error:
                self.is_published = False
                self.why_stopped = error.detail if isinstance(error, WentBack) else None
                self.why_interrupted = reason(error)
                await self._withdraw()
                await self._leave()  # before the pause: another process may take over at once
                await backoff.wait(error)
            except asyncio.CancelledError:
                await self._withdraw()
                raise
            finally:
                await self._leave()

    async def _take_over(self) -> int | None:
        """Returns the cursor's position if this process may publish the log, or ``None`` if another does or should."""
        processes = await self._lease.announce()
        if not self._share.take(self._context, processes):
            return None
        cursor = await self._lease.take()
        if cursor is None:
            self._share.give_up(self._context)
        return cursor

    async def _withdraw(self) -> None:
        """Announces that this process cannot relay the log now."""
        with suppress(Unavailable):
            await self._lease.withdraw()

    async def _leave(self) -> None:
        self.is_owner, self.problem = False, None
        for gauge in (LAG, LAG_SECONDS, BLOCKED):
            with suppress(KeyError):
                gauge.remove(str(self._context))  # the next owner reports it
        self._share.give_up(self._context)
        with suppress(Unavailable):
            await self._lease.release()

    async def _publish_while_owner(self, cursor: int) -> None:
        """Publishes until another process should have the log; raises `LeaseLost` if one has it already."""
        self._timelines = await self._log.timelines()
        self._check_accepted()
        await ensure_topics(self._settings, self._catalog, [self._context], PUBLISHED)
        # The stack stops each of the three, also if a cancellation interrupts the stop of another.
        async with AsyncExitStack() as stack:
            producer = await started_producer(self._settings, "relay")
            stack.push_async_callback(stop_quietly, producer)
            # A short time-out: a topic that was deleted must be noticed, created and filled again, and not be waited for.
            consumer = new_consumer(self._settings, "relay", request_timeout_ms=_LOOK_UP_MS)
            stack.push_async_callback(stop_quietly, consumer)
            ahead = _ReadAhead(self._log, self._settings.relay_batch_events)
            stack.push_async_callback(ahead.stop)
            await start(consumer)
            store = self._integration_store
            integration = await IntegrationRecords.registered(self._context, self._settings, self._catalog, store)
            resumption = await self._resume(consumer, cursor)
            stack.push_async_callback(self._partitions.stop)
            self._partitions.begin(producer, consumer, resumption.held, integration)
            self.is_published, self.why_stopped, self.why_interrupted = True, None, None
            await self._publish_from(resumption.after, ahead, consumer)

    async def _resume(self, consumer: AIOKafkaConsumer, cursor: int) -> Resumption:
        try:
            resumption = await self._position.resume_at(consumer, cursor, self._timelines)
        except Diverged as diverged:
            found = diverged.found
            await self._store.execute("timeline_begin", found.newest_timeline + 1, found.shared, found.lost_up_to)
            self._timelines = await self._log.timelines()
            self._check_accepted()
            raise
        is_behind = resumption.after < cursor
        self._lost_up_to = cursor if is_behind else 0
        if is_behind:
            REFILLED.labels(str(self._context)).inc()
            _log.warning(
                "topic found behind its log", context=str(self._context), refilled_after=resumption.after, up_to=cursor
            )
        return resumption

    def _check_accepted(self) -> None:
        if (pending := self._timelines.pending) is not None:
            raise WentBack(
                f"the log of {self._context} went back: events after position {pending.began_after} were published up to "
                f"{pending.lost_up_to} and are not in it. Nothing is published until `caudal recover {self._context} --apply`"
            )

    async def _publish_from(self, cursor: int, ahead: "_ReadAhead", consumer: AIOKafkaConsumer) -> None:
        noted: tuple[int, str | None] = (cursor, None)
        checked, read, is_due = time.monotonic(), cursor, True
        while True:
            raise_if_cancelled()
            if await self._lease.renew_in_time() and self._share.is_exceeded(await self._lease.announce()):
                self._share.give_up(self._context)  # before any other relay of this process looks: one log is enough
                return
            is_due = is_due or self._appended.is_set()
            self._appended.clear()
            rows = await ahead.after(read) if is_due and read - cursor < _MAX_EVENTS_AHEAD else ()
            self._report_age(rows)
            if rows:
                await self._partitions.publish(rows)
                read = rows[-1].position
            self._partitions.report()
            cursor, self.problem = state = self._partitions.reached(read), self._partitions.problem()
            if state != noted:
                await self._lease.move(*state)
                noted = state
            if time.monotonic() - checked > _CHECK_SECONDS:
                await self._position.check(consumer)
                LAG.labels(str(self._context)).set(await self._head_from(read) - cursor)
                checked = time.monotonic()
            if not (rows and ahead.is_reading):
                await self._pause(after_events=bool(rows))
                is_due = self._appended.is_set() or await self._head_from(read) > read

    async def _head_from(self, read: int) -> int:
        """Returns the position of the log's end; raises `Unavailable` if it is before what was read."""
        head = (await self._log.head()).position
        if head < read:
            raise Unavailable(f"the log of {self._context} ends at {head}, but was read up to {read}")
        return head

    def _report_age(self, rows: Sequence[StoredEvent]) -> None:
        """Sets the metric of the age of the oldest event that is not acknowledged; ``rows`` are about to be published."""
        waiting = [at for at in (self._partitions.oldest_at(), rows[0].recorded_at if rows else None) if at is not None]
        LAG_SECONDS.labels(str(self._context)).set(time.time() - min(waiting).timestamp() if waiting else 0)

    async def _pause(self, *, after_events: bool) -> None:
        """Returns at the next wake-up, or after the polling interval."""
        if after_events:
            # At once when idle; under load a pause that costs little time collects many more events.
            await asyncio.sleep(_MIN_ROUND_SECONDS)
        with suppress(TimeoutError):
            # `asyncio.wait_for` would lose a cancellation that arrives together with the event (Python 3.11).
            async with asyncio.timeout(until_next(self._settings.relay_poll_interval_seconds)):
                await self._appended.wait()

    def _headers(self, row: StoredEvent) -> Headers:
        """Returns the headers that a row's record has beside those of its event: rows of the same headers follow each other."""
        backfilled = [BACKFILLED] if row.position <= self._lost_up_to else []
        return (*backfilled, *timeline_headers(self._timelines.of(row.position)))


class _ReadAhead:
    """Reads the next rows of a log while the rows before them are published."""

    def __init__(self, log: PostgresLog, limit: int) -> None:
        self._log, self._limit = log, limit
        self._reading: asyncio.Task[Sequence[StoredEvent]] | None = None

    @property
    def is_reading(self) -> bool:
        """Whether there may be more rows at once."""
        return self._reading is not None

    async def after(self, cursor: int) -> Sequence[StoredEvent]:
        """Returns the rows above a cursor, which must be the position of the last row returned before."""
        reading, self._reading = self._reading, None
        rows = await (reading if reading is not None else self._log.read(cursor, self._limit))
        if is_full(rows, self._limit):
            self._reading = asyncio.create_task(self._log.read(rows[-1].position, self._limit))
        return rows

    async def stop(self) -> None:
        """Cancels the read that is in flight."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
