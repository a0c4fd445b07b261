"""Subscription: feeds the subscribers of one process from the topics, within a consumer group.

How records flow::

    topics ──Faust──▶ _deliver(fetched)                     one call at a time
                        │  decode, group by partition; records that are not events are kept apart (foreign)
                        ▼
                      for each subscriber, one after the other, under its turn:
                        │  suspended?  ─▶ drop: it catches up from the log later
                        ├─ foreign records        ─▶ its dead letters
                        └─ its contexts' batches  ─▶ subscriber.handle(batches)
                        │  failed?     ─▶ again after 0.1 … 1.6 s, then suspend it: the others do not wait for it
                        ▼
                      Faust acknowledges the offsets. They only say from where to read on: the checkpoints, which
                      subscribers keep with their effects, say what was handled.

These tasks run in parallel:

- the control of each subscriber (`streams.subscriptions.control`, every second): retries and publishes dead letters, obeys
  pause, resume and reset, and brings a suspended subscriber up to date from the log. It takes the turn only
  for the last events of a catch-up, so subscribers must allow concurrent calls of ``handle`` and ``retry``;
- the watchdog (`streams.subscriptions.watchdog`, three times in ``stall_seconds``): reads a partition from the log if it makes
  no progress, and ends the process if the consumer has stopped. It takes no turn: a subscriber skips what it has handled.

A subscriber skips events that come again and fetches events that are missing from the log
(`streams.subscriptions.gap_filling`). So nothing is lost or applied twice by a fault of the broker or the consumer.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog
from prometheus_client import Counter

from schemas.catalog import Catalog
from schemas.errors import CaudalError, Malformed, Unavailable
from schemas.system import ContextName
from streams.broker.clients import OUTAGES
from streams.broker.cloudevents import decode_event
from streams.broker.faust_consumer import FaustConsumer, Fetched
from streams.broker.provisioning import OF_LOGS, ensure_topics
from streams.broker.readiness import GroupReadiness
from streams.broker.topic_names import Topics
from streams.installation import served_contexts
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from streams.subscriptions.control import SubscriptionControl
from streams.subscriptions.dead_letter_topic import DeadLetterTopic
from streams.subscriptions.dead_letters import Parked
from streams.subscriptions.lost_events import LostEvents
from streams.subscriptions.process_deaths.guarded_subscriber import GuardedSubscriber
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.subscriber import Batch, Subscriber
from streams.subscriptions.watchdog import Watchdog
from streams.telemetry.duties import Duties
from streams.telemetry.retrying import Backoff, every, keep_running, raise_if_cancelled, reason

_log = structlog.get_logger()
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between attempts of a delivery. A subscriber that fails for longer is suspended."""

FOREIGN = Counter("caudal_foreign_records", "Records of a topic that are not events of Caudal.", ["subscription"])


class Subscription:
    """Feeds subscribers of one process from the topics, within the consumer group ``group``."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        group: str,
        subscribers: Sequence[Subscriber],
        logs: Mapping[ContextName, ReadableLog],
        turns: Turns | None = None,
    ) -> None:
        """``turns`` are those of the process, if it handles more than this subscription."""
        # Faust gives every member of a group partitions of every topic: processes that serve other contexts are another group.
        self._settings, self._catalog, self._group = settings, catalog, "-".join((group, *sorted(settings.contexts)))
        turns = turns or Turns()
        served = served_contexts(settings, catalog)
        guarded = (GuardedSubscriber(subscriber, logs, turns, served) for subscriber in subscribers)
        self._subscribers = [subscriber for subscriber in guarded if subscriber.contexts]
        self._topics = Topics(settings, catalog)
        self._contexts = sorted({context for subscriber in self._subscribers for context in subscriber.contexts})
        topics = {self._topics.events(context): catalog.context(context).partitions for context in self._contexts}
        self._consumer = FaustConsumer(settings, self._group, topics, self._deliver, self._note_assignment)
        self._lost_events = LostEvents(settings, self._topics, logs)
        self._watchdog = Watchdog(settings.stall_seconds, logs, self._consumer.is_left_behind)
        self._dead_letter_topic = DeadLetterTopic(settings, catalog)
        self._assigned: set[tuple[ContextName, int]] = set()
        self._controls = {
            subscriber.name: SubscriptionControl(subscriber, logs, self._dead_letter_topic, self._followed)
            for subscriber in self._subscribers
        }
        self._readiness = GroupReadiness(self._group)

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database; raises `ConsumerStopped` in a group."""
        if not self._subscribers:
            await asyncio.Event().wait()
        try:
            async with Duties() as tasks:
                tasks.create_task(self._consume())
                tasks.create_task(self._watch())
                tasks.create_task(self._watch_suspended_logs())
                for control in self._controls.values():
                    tasks.create_task(control.run())
        finally:
            await self._dead_letter_topic.close()

    def why_not_ready(self) -> str | None:
        """Returns why it is not ready, or ``None``: until its consumer group has assigned partitions to this process, while a
        log that it follows went back, and if another version has migrated the database.
        """
        if not self._subscribers:
            return None
        if others := [name for name, control in self._controls.items() if control.is_of_another_version]:
            return f"the database was migrated by a version that follows other events: {', '.join(others)} handle nothing"
        return self._lost_events.why_not_ready() or self._readiness.why_not_ready()

    async def _consume(self) -> None:
        backoff = Backoff("consumer interrupted", first_seconds=1, max_seconds=1, group=self._group)
        await keep_running(self._consume_once, (Unavailable, *OUTAGES), backoff)

    async def _consume_once(self) -> None:
        usable = await ensure_topics(self._settings, self._catalog, self._contexts, OF_LOGS)
        await self._lost_events.check(usable)
        await self._consumer.run()

    async def _watch(self) -> None:
        while True:
            raise_if_cancelled()
            await asyncio.sleep(self._settings.stall_seconds / 3)
            if self._consumer.has_undelivered:
                self._watchdog.start_over()  # a partition without progress waits for the batches that are being handled
            suspended = {name for name, control in self._controls.items() if control.is_suspended}
            for context in await self._watchdog.check(
                self._subscribers, suspended, self._assigned, self._lost_events.suspended
            ):
                self._lost_events.suspend(context)

    async def _watch_suspended_logs(self) -> None:
        """Goes on with the logs whose loss an operator has accepted."""

        async def check() -> None:
            if self._lost_events.suspended and (woken := await self._lost_events.check(self._lost_events.suspended)):
                for subscriber in self._subscribers:
                    if subscriber.contexts & woken:
                        for context, partition in self._assigned:
                            subscriber.invalidate(context, partition)
                        self._controls[subscriber.name].suspend()  # it reads from the log what it has missed

        await every(self._settings.stall_seconds, check, "comparison with the topics")

    def _followed(self) -> set[tuple[ContextName, int]]:
        """Returns the partitions of this process, without those of logs that are suspended."""
        return {(context, partition) for context, partition in self._assigned if context not in self._lost_events.suspended}

    def _note_assignment(self, partitions: Iterable[tuple[str, int]], is_member: bool) -> None:
        assigned = {(self._topics.context_of(topic), partition) for topic, partition in partitions}
        for context, partition in self._assigned ^ assigned:
            for subscriber in self._subscribers:
                subscriber.invalidate(context, partition)
        self._assigned = assigned
        self._readiness.note_assignment(assigned, is_member=is_member)

    async def _deliver(self, fetched: Sequence[Fetched]) -> None:
        self._watchdog.note_progress()
        batches, foreign = await self._decoded(fetched)
        for subscriber in self._subscribers:
            own_batches = [batch for batch in batches if batch.context in subscriber.contexts]
            own_foreign = [parked for parked in foreign if parked.context in subscriber.contexts]
            control = self._controls[subscriber.name]
            if (own_batches or own_foreign) and not control.is_suspended:
                async with control.turn:
                    await self._deliver_to(subscriber, own_batches, own_foreign, control)

    async def _deliver_to(
        self, subscriber: Subscriber, batches: Sequence[Batch], foreign: Sequence[Parked], control: SubscriptionControl
    ) -> None:
        for pause in _PAUSES:
            raise_if_cancelled()
            if control.is_suspended:
                return
            try:
                await _park_foreign(subscriber, foreign)
                await subscriber.handle(batches)
                return
            except Exception as error:
                log = _log.warning if isinstance(error, CaudalError) else _log.exception
                log("delivery failed", subscription=subscriber.name, why=reason(error), seconds=pause)
            await asyncio.sleep(pause)
        control.suspend()

    async def _decoded(self, fetched: Sequence[Fetched]) -> tuple[list[Batch], list[Parked]]:
        """Returns the events by partition, and the records that are not events; no event waits behind those.

        Events that their log has lost are left out, and all of a suspended log.
        """
        events: dict[tuple[ContextName, int], list[StoredEvent]] = {}
        foreign: list[Parked] = []
        for part in fetched:
            context = self._topics.context_of(part.topic)
            if context in self._lost_events.suspended:
                continue
            await self._lost_events.read_unknown(context, part.records)
            found = events.setdefault((context, part.partition), [])
            for record in part.records:
                try:
                    event = decode_event(record)
                    if not self._lost_events.is_lost(context, record, event):
                        found.append(event)
                except Malformed as error:
                    foreign.append(Parked.of_record(context, record, error))
        return [Batch(*where, found) for where, found in sorted(events.items()) if found], foreign


async def _park_foreign(subscriber: Subscriber, foreign: Sequence[Parked]) -> None:
    for store in subscriber.stores:
        if own := [parked for parked in foreign if parked.context in store.contexts]:
            async with store.transaction() as connection:
                await store.dead_letters.park(connection, own)
            FOREIGN.labels(subscriber.name).inc(len(own))
            _log.warning("foreign records parked", subscription=subscriber.name, records=len(own))
