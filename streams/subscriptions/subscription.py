"""Subscriptions: the topics' events to subscribers, in order and without a hole.

What is applied is the subscriber's business: it keeps its position with its effects, skips what it has seen and fetches from
the log what is missing (`streams.subscriptions.gap_filling`). Beside it a watchdog sees to it that nothing stands still, and an
attendance for each subscriber does what operators say.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka.errors import KafkaError
from prometheus_client import Counter

from schemas.catalog import Catalog, ContextName
from schemas.errors import CaudalError, Malformed, Unavailable
from streams.broker.cloudevents import decode_event
from streams.broker.faust_consumer import FaustConsumer, Fetched
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from streams.subscriptions.control import Attendance
from streams.subscriptions.dead_letter_topic import DeadLetterTopic
from streams.subscriptions.dead_letters import Parked
from streams.subscriptions.subscriber import Batch, Subscriber
from streams.subscriptions.watchdog import Watchdog

_log = structlog.get_logger()
_LONGEST_JOIN_SECONDS = 20
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Between tries to deliver, in seconds; a subscriber that fails for longer stands aside."""

FOREIGN = Counter("caudal_foreign_records", "Records of a topic that are no events of Caudal's.", ["subscription"])


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
        self._settings, self._catalog, self._group = settings, catalog, group
        self._subscribers = subscribers
        self._topics = Topics(settings, catalog)
        self._contexts = sorted({context for subscriber in subscribers for context in subscriber.contexts})
        topics = [self._topics.events(context) for context in self._contexts]
        self._consumer = FaustConsumer(settings, group, topics, self._deal, self._note_assignment)
        self._watchdog = Watchdog(settings.stall_seconds, logs, self._consumer.is_left_behind)
        self._dead_letter_topic = DeadLetterTopic(settings, catalog)
        self._attendances = {
            subscriber.name: Attendance(subscriber, logs, self._dead_letter_topic, lambda: self._assigned)
            for subscriber in subscribers
        }
        self._assigned: set[tuple[ContextName, int]] = set()
        self._had_partitions = False
        self._began = time.monotonic()

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database; raises `ConsumerStopped` in a group."""
        if not self._subscribers:
            await asyncio.Event().wait()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._consume())
                tasks.create_task(self._watch())
                for attendance in self._attendances.values():
                    tasks.create_task(attendance.run())
        finally:
            await self._dead_letter_topic.close()

    def why_not_ready(self) -> str | None:
        """Says that the group has not given this process partitions yet; with many processes some never get any."""
        if self._had_partitions or not self._subscribers or time.monotonic() - self._began > _LONGEST_JOIN_SECONDS:
            return None
        return f"the consumer group {self._group} has not assigned partitions yet"

    async def _consume(self) -> None:
        while True:
            try:
                await ensure_topics(self._settings, self._catalog, self._contexts)
                await self._consumer.run()
            except (Unavailable, KafkaError, OSError) as error:
                _log.warning("subscribing again soon", group=self._group, why=str(error) or repr(error))
            await asyncio.sleep(1)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._settings.stall_seconds / 3)
            if self._consumer.is_dealing:
                # Whatever stands still now does so because there is so much to do.
                self._watchdog.start_over()
            resting = {name for name, attendance in self._attendances.items() if attendance.is_resting}
            await self._watchdog.look(self._subscribers, resting, self._assigned)

    def _note_assignment(self, partitions: Iterable[tuple[str, int]]) -> None:
        assigned = {(self._topics.context_of(topic), partition) for topic, partition in partitions}
        for context, partition in self._assigned ^ assigned:
            for subscriber in self._subscribers:
                subscriber.forget(context, partition)
        self._assigned = assigned
        self._had_partitions = self._had_partitions or bool(assigned)

    async def _deal(self, fetched: Sequence[Fetched]) -> None:
        """Gives what has come in to every subscriber of its contexts. One that cannot take it stands aside, and catches up."""
        self._watchdog.note_progress()
        batches, foreign = self._batches(fetched)
        for subscriber in self._subscribers:
            wanted = [batch for batch in batches if batch.context in subscriber.contexts]
            strange = [dead_letter for dead_letter in foreign if dead_letter.context in subscriber.contexts]
            attendance = self._attendances[subscriber.name]
            if (wanted or strange) and not attendance.is_resting:
                async with attendance.turn:
                    await self._deliver(subscriber, wanted, strange, attendance)

    async def _deliver(
        self, subscriber: Subscriber, batches: Sequence[Batch], strange: Sequence[Parked], attendance: Attendance
    ) -> None:
        for pause in _PAUSES:
            if attendance.is_resting:
                return
            try:
                await _park(subscriber, strange)
                await subscriber.take(batches)
                return
            except Exception as error:
                log = _log.warning if isinstance(error, CaudalError) else _log.exception
                log("delivering again soon", subscription=subscriber.name, why=str(error) or repr(error), seconds=pause)
            await asyncio.sleep(pause)
        attendance.stand_aside()

    def _batches(self, fetched: Sequence[Fetched]) -> tuple[list[Batch], list[Parked]]:
        """What has come in, by partition; and the records among it that are no events of ours, behind which nobody waits."""
        rows: dict[tuple[ContextName, int], list[StoredEvent]] = {}
        foreign: list[Parked] = []
        for part in fetched:
            context = self._topics.context_of(part.topic)
            found = rows.setdefault((context, part.partition), [])
            for record in part.records:
                try:
                    found.append(decode_event(record))
                except Malformed as error:
                    foreign.append(Parked.foreign(context, record, error))
        return [Batch(context, partition, found) for (context, partition), found in sorted(rows.items()) if found], foreign


async def _park(subscriber: Subscriber, strange: Sequence[Parked]) -> None:
    for store in subscriber.stores:
        if own := [dead_letter for dead_letter in strange if dead_letter.context in store.contexts]:
            async with store.transaction() as connection:
                await store.dead_letters.park(connection, own)
            FOREIGN.labels(subscriber.name).inc(len(own))
            _log.warning("parked strange records", subscription=subscriber.name, records=len(own))
