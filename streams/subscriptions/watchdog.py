"""Watchdog: compares the checkpoints of subscribers with their logs, and acts on partitions without progress.

A partition whose checkpoint does not move although its log has grown is read on from the log. Possible causes: the consumer has
stopped, an offset was committed too far, the broker has lost its data, or a killed process still holds the partition. If the
broker holds records that the consumer does not fetch any more, the process ends, and its supervisor starts another.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import structlog
from prometheus_client import Gauge

from schemas.errors import ConsumerStopped, Unavailable
from schemas.system import ContextName
from streams.log.reading import ReadableLog, partition_events
from streams.subscriptions.gap_filling import GAP_FILLED
from streams.subscriptions.subscriber import Batch, Subscriber

_log = structlog.get_logger()
_FACTOR_FOR_OTHERS = 4
_MAX_STALLS = 3
"""Stalls in a row after which the consumer is suspected."""

LAG = Gauge(
    "caudal_subscription_lag_positions",
    "Positions between a log's newest event and the checkpoint, in the partition that is furthest behind.",
    ["subscription", "context"],
)


class Watchdog:
    """Watches the subscribers of one process of a consumer group."""

    def __init__(
        self,
        stall_seconds: float,
        logs: Mapping[ContextName, ReadableLog],
        is_left_behind: Callable[[], Awaitable[bool]],
    ) -> None:
        """``is_left_behind`` returns whether the broker holds records that the consumer has not fetched."""
        self._stall_seconds, self._logs, self._is_left_behind = stall_seconds, logs, is_left_behind
        self._progress: dict[tuple[str, ContextName, int], tuple[int, float]] = {}
        """The last position of a subscriber in a partition, and since when it is there."""
        self._stalls = 0
        """Checks in a row in which partitions of this process stalled and the consumer fetched nothing."""
        self._behind: set[ContextName] = set()

    def note_progress(self) -> None:
        """Notes that the consumer has fetched records."""
        self._stalls = 0

    def start_over(self) -> None:
        """Starts to measure anew: there is a good reason for partitions that make no progress now."""
        self._progress.clear()

    async def check(
        self,
        subscribers: Sequence[Subscriber],
        suspended: Collection[str],
        assigned: set[tuple[ContextName, int]],
        suspended_logs: Collection[ContextName] = (),
    ) -> Collection[ContextName]:
        """Compares once, except for suspended logs; returns those whose head is behind a checkpoint.

        Of suspended subscribers it only reports the lag. Raises `ConsumerStopped`.
        """
        has_stalled, self._behind = False, set[ContextName]()
        for context in sorted({context for subscriber in subscribers for context in subscriber.contexts} - set(suspended_logs)):
            try:
                heads = (await self._logs[context].head()).partitions
                for subscriber in subscribers:
                    if context in subscriber.contexts:
                        is_suspended = subscriber.name in suspended
                        has_stalled |= await self._compare(subscriber, context, heads, assigned, is_suspended=is_suspended)
            except Unavailable as error:
                _log.debug("log comparison failed", context=str(context), why=error.detail)
            except Exception:
                _log.exception("log comparison failed", context=str(context))
        if has_stalled:
            await self._suspect_the_consumer()
        return self._behind

    async def _compare(
        self,
        subscriber: Subscriber,
        context: ContextName,
        heads: Sequence[int],
        assigned: set[tuple[ContextName, int]],
        *,
        is_suspended: bool,
    ) -> bool:
        """Reads on from the log in partitions without progress; returns whether one of this process was among them."""
        lag, has_stalled = 0, False
        for partition, head in enumerate(heads):
            # A killed process keeps its partitions until the broker gives it up, which takes a minute or more: those of
            # others are watched too, with a longer limit. Work that is done twice is harmless, work that is left is not.
            is_ours = (context, partition) in assigned
            position = await subscriber.position(context, partition)
            if position > head and position > (await self._logs[context].head()).partitions[partition]:
                self._behind.add(context)
            where = (subscriber.name, context, partition)
            last_position, since = self._progress.get(where, (-1, 0.0))
            if is_suspended or position >= head or position != last_position:
                self._progress[where] = (position, time.monotonic())
            elif time.monotonic() - since > self._stall_seconds * (1 if is_ours else _FACTOR_FOR_OTHERS):
                await self._read_on(subscriber, context, partition, position, head)
                self._progress.pop(where, None)
                has_stalled |= is_ours
            if is_ours:
                lag = max(lag, head - position)
        LAG.labels(subscriber.name, str(context)).set(lag)
        return has_stalled

    async def _read_on(self, subscriber: Subscriber, context: ContextName, partition: int, after: int, up_to: int) -> None:
        _log.warning(
            "partition stalled",
            subscription=subscriber.name,
            context=str(context),
            partition=partition,
            after=after,
            up_to=up_to,
        )
        async for events in partition_events(self._logs[context], partition, after, up_to):
            GAP_FILLED.labels(subscriber.name, str(context)).inc(len(events))
            await subscriber.handle([Batch(context, partition, events)])

    async def _suspect_the_consumer(self) -> None:
        self._stalls += 1
        if self._stalls >= _MAX_STALLS and await self._is_left_behind():
            raise ConsumerStopped("The consumer does not fetch the records of its topics any more: the process ends.")
