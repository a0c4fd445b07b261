"""Subscriptions: the topics' events to subscribers, in order and without a hole.

What is applied is the subscriber's business: it keeps its position with its effects, skips what it has seen and fetches from
the log what is missing (`streams.continuity`). Where a partition stands still though its log goes on, because the consumer has
silently stopped, an offset was committed too far, or the broker has lost its data, the subscription reads on from the log.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from aiokafka.errors import KafkaError
from prometheus_client import Gauge

from schemas.catalog import Catalog, ContextName
from schemas.errors import Malformed, Unavailable
from streams.codec import decode_event
from streams.continuity import REPAIRED
from streams.faust_consumer import FaustConsumer, Fetched
from streams.log import ReadableLog, partition_events
from streams.rows import Row
from streams.settings import Settings
from streams.topics import Topics, ensure_topics

_log = structlog.get_logger()
_LONGEST_JOIN_SECONDS = 20
_PATIENCE_WITH_OTHERS = 4

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
        """Where it stands: the position of the last event that it, or its like in another process, has dealt with."""
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
        topics = [self._topics.events(context) for context in self._contexts]
        self._consumer = FaustConsumer(settings, group, topics, self._deal, self._note_assignment)
        self._assigned: set[tuple[ContextName, int]] = set()
        self._had_partitions = False
        self._began = time.monotonic()
        self._stood_since: dict[tuple[str, ContextName, int], tuple[int, float]] = {}

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database."""
        if not self._subscribers:
            await asyncio.Event().wait()
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                try:
                    await ensure_topics(self._settings, self._catalog, self._contexts)
                    await self._consumer.run()
                except (Unavailable, KafkaError, OSError) as error:
                    _log.warning("subscribing again soon", group=self._group, why=str(error) or repr(error))
                await asyncio.sleep(1)
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    def _note_assignment(self, partitions: Iterable[tuple[str, int]]) -> None:
        assigned = {(self._topics.context_of(topic), partition) for topic, partition in partitions}
        for context, partition in self._assigned - assigned:
            for subscriber in self._subscribers:
                subscriber.forget(context, partition)
        self._assigned = assigned
        self._had_partitions = self._had_partitions or bool(assigned)

    def why_not_ready(self) -> str | None:
        """Says that the group has not given this process partitions yet; with many processes some never get any."""
        if self._had_partitions or not self._subscribers or time.monotonic() - self._began > _LONGEST_JOIN_SECONDS:
            return None
        return f"the consumer group {self._group} has not assigned partitions yet"

    async def _deal(self, fetched: Sequence[Fetched]) -> None:
        """Gives slices to every subscriber of their contexts, as often as it takes: order leaves no other way."""
        slices = self._slices(fetched)
        for subscriber in self._subscribers:
            wanted = [slice for slice in slices if slice.context in subscriber.contexts]
            pause = 0.1
            while wanted:
                try:
                    await subscriber.take(wanted)
                    break
                except Exception as error:
                    log = _log.warning if isinstance(error, Unavailable) else _log.exception
                    log("delivering again soon", subscription=subscriber.name, why=str(error) or repr(error), seconds=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5)

    def _slices(self, fetched: Sequence[Fetched]) -> list[Slice]:
        rows: dict[tuple[ContextName, int], list[Row]] = {}
        for part in fetched:
            rows.setdefault((self._topics.context_of(part.topic), part.partition), []).extend(_rows(part.records))
        return [Slice(context, partition, found) for (context, partition), found in sorted(rows.items())]

    async def _watch(self) -> None:
        """Compares what is applied with the logs, and reads on from the log where a partition stands still."""
        while True:
            await asyncio.sleep(self._settings.stall_seconds / 3)
            if self._consumer.is_dealing:
                # Whatever stands still now does so because there is so much to do.
                self._stood_since.clear()
            for context in self._contexts:
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
        for partition in range(len(heads)):
            # A killed process keeps its partitions until the broker gives it up, which takes a minute or more: those of
            # others are watched too, with more patience. Doing their work as well is harmless, leaving it undone is not.
            ours = (context, partition) in self._assigned
            patience = self._settings.stall_seconds * (1 if ours else _PATIENCE_WITH_OTHERS)
            position = await subscriber.position(context, partition)
            mark = (subscriber.name, context, partition)
            stood_at, since = self._stood_since.get(mark, (-1, 0.0))
            if position >= heads[partition] or position != stood_at:
                self._stood_since[mark] = (position, time.monotonic())
            elif time.monotonic() - since > patience:
                await self._read_on(subscriber, context, partition, position, heads[partition])
                self._stood_since.pop(mark, None)
            if ours:
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


def _rows(records: Sequence[Any]) -> Iterator[Row]:
    for record in records:
        try:
            yield decode_event(record)
        except Malformed as error:
            # Not from a log of ours, so no subscriber waits for it.
            _log.warning("passed over a strange record", why=error.detail)
