"""The watchdog: compares what subscribers have applied with their logs, and sees to it where that stands still.

A partition that stands still though its log goes on is read on from the log: the consumer may have stopped, an offset may have
been committed too far, the broker may have lost its data, or a killed process may still hold the partition. Where the broker
does hold what the consumer no longer takes, the process is ended, so that its supervisor starts another.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import structlog
from prometheus_client import Gauge

from schemas.catalog import ContextName
from schemas.errors import ConsumerStopped, Unavailable
from streams.log.reading import ReadableLog, partition_events
from streams.subscriptions.gap_filling import REPAIRED
from streams.subscriptions.subscriber import Batch, Subscriber

_log = structlog.get_logger()
_PATIENCE_WITH_OTHERS = 4
_STALLS_BEFORE_THE_END = 3

LAG = Gauge(
    "caudal_subscription_lag_positions",
    "Positions between a log's newest event and the checkpoint, in the partition that is furthest behind.",
    ["subscription", "context"],
)


class Watchdog:
    """Watches the subscribers of one consumer group's member."""

    def __init__(
        self,
        stall_seconds: float,
        logs: Mapping[ContextName, ReadableLog],
        is_left_behind: Callable[[], Awaitable[bool]],
    ) -> None:
        """``is_left_behind`` says whether the broker holds something that the consumer has not taken."""
        self._patience, self._logs, self._is_left_behind = stall_seconds, logs, is_left_behind
        self._stood_since: dict[tuple[str, ContextName, int], tuple[int, float]] = {}
        self._stalls = 0
        """How often in a row partitions of ours stood still, without the consumer bringing anything."""

    def note_progress(self) -> None:
        """The consumer has brought something."""
        self._stalls = 0

    def start_over(self) -> None:
        """Whatever stands still now does so for a good reason."""
        self._stood_since.clear()

    async def look(
        self, subscribers: Sequence[Subscriber], resting: Collection[str], assigned: set[tuple[ContextName, int]]
    ) -> None:
        """Compares once; raises `ConsumerStopped`. Of subscribers that rest only the lag is told."""
        stood_still = False
        for context in sorted({context for subscriber in subscribers for context in subscriber.contexts}):
            try:
                heads = (await self._logs[context].head()).partitions
                for subscriber in subscribers:
                    if context in subscriber.contexts:
                        is_resting = subscriber.name in resting
                        stood_still |= await self._compare(subscriber, context, heads, assigned, is_resting=is_resting)
            except Unavailable as error:
                _log.debug("cannot compare with the log", context=str(context), why=error.detail)
            except Exception:
                _log.exception("comparing with the log failed", context=str(context))
        if stood_still:
            await self._suspect_the_consumer()

    async def _compare(
        self,
        subscriber: Subscriber,
        context: ContextName,
        heads: Sequence[int],
        assigned: set[tuple[ContextName, int]],
        *,
        is_resting: bool,
    ) -> bool:
        """Reads on from the log where a partition stands still; whether one of ours did."""
        lag, stood_still = 0, False
        for partition, head in enumerate(heads):
            # A killed process keeps its partitions until the broker gives it up, which takes a minute or more: those of
            # others are watched too, with more patience. Doing their work as well is harmless, leaving it undone is not.
            ours = (context, partition) in assigned
            position = await subscriber.position(context, partition)
            mark = (subscriber.name, context, partition)
            stood_at, since = self._stood_since.get(mark, (-1, 0.0))
            if is_resting or position >= head or position != stood_at:
                self._stood_since[mark] = (position, time.monotonic())
            elif time.monotonic() - since > self._patience * (1 if ours else _PATIENCE_WITH_OTHERS):
                await self._read_on(subscriber, context, partition, position, head)
                self._stood_since.pop(mark, None)
                stood_still |= ours
            if ours:
                lag = max(lag, head - position)
        LAG.labels(subscriber.name, str(context)).set(lag)
        return stood_still

    async def _read_on(self, subscriber: Subscriber, context: ContextName, partition: int, after: int, up_to: int) -> None:
        _log.warning(
            "a partition stands still, reading on from the log",
            subscription=subscriber.name,
            context=str(context),
            partition=partition,
            after=after,
            up_to=up_to,
        )
        async for rows in partition_events(self._logs[context], partition, after, up_to):
            REPAIRED.labels(subscriber.name, str(context)).inc(len(rows))
            await subscriber.take([Batch(context, partition, rows)])

    async def _suspect_the_consumer(self) -> None:
        self._stalls += 1
        if self._stalls >= _STALLS_BEFORE_THE_END and await self._is_left_behind():
            raise ConsumerStopped("the consumer has stopped taking what its topics hold")
