"""Watchdog: compares the checkpoints of subscribers with their logs, and acts on partitions without progress.

A partition whose checkpoint does not move although its log has grown is read on from the log. Possible causes: the consumer has
stopped, an offset was committed too far, the broker has lost its data, or a killed process still holds the partition. If the
broker holds records that the consumer does not fetch any more, the process ends, and its supervisor starts another.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from prometheus_client import Gauge

from schemas.errors import ConsumerStopped, Unavailable
from schemas.system import ContextName
from streams.log.reading import ReadableLog, partition_events
from streams.subscriptions.gap_filling import GAP_FILLED
from streams.subscriptions.subscriber import Batch, Subscriber

_log = structlog.get_logger()
_FACTOR_FOR_OTHERS = 4
_CHECKS_AT_REST = 10
"""Checks after which a subscriber that had handled everything is compared again, although its log has not grown."""
_MAX_STALLS = 3
"""Stalls in a row after which the consumer is suspected."""

LAG = Gauge(
    "caudal_subscription_lag_positions",
    "Positions between a log's newest event and the checkpoint, in the partition that is furthest behind.",
    ["subscription", "context"],
)


@contextmanager
def _failures_logged(context: ContextName) -> Iterator[None]:
    """Logs errors of a comparison: the other logs are compared all the same."""
    try:
        yield
    except Unavailable as error:
        _log.debug("log comparison failed", context=str(context), why=error.detail)
    except Exception:
        _log.exception("log comparison failed", context=str(context))


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
        self._at_rest: dict[tuple[str, ContextName], Sequence[int]] = {}
        """The heads at which a subscriber had handled everything: until a log grows there is nothing to compare."""
        self._checks = 0

    def note_progress(self) -> None:
        """Notes that the consumer has fetched records."""
        self._stalls = 0

    def start_over(self) -> None:
        """Starts to measure anew: there is a good reason for partitions that make no progress now."""
        self._progress.clear()
        self._at_rest.clear()

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
        self._checks += 1
        is_full = self._checks % _CHECKS_AT_REST == 0
        contexts = sorted({context for subscriber in subscribers for context in subscriber.contexts} - set(suspended_logs))
        for context, heads in zip(contexts, await asyncio.gather(*map(self._heads, contexts)), strict=True):
            with _failures_logged(context):
                for subscriber in (one for one in subscribers if context in one.contexts):
                    if heads is None:  # after an outage checkpoints may be back although the log is not
                        self._at_rest.pop((subscriber.name, context), None)
                    elif is_full or self._at_rest.get((subscriber.name, context)) != heads:
                        is_suspended = subscriber.name in suspended
                        has_stalled |= await self._compare(subscriber, context, heads, assigned, is_suspended=is_suspended)
        if has_stalled:
            await self._suspect_the_consumer()
        return self._behind

    async def _heads(self, context: ContextName) -> Sequence[int] | None:
        """Returns the newest position of each partition of a log, ``None`` if it cannot be read now."""
        with _failures_logged(context):
            return (await self._logs[context].head()).partitions
        return None

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
        lag, has_stalled, is_at_rest = 0, False, not is_suspended
        for partition, head in enumerate(heads):
            # A killed process keeps its partitions until the broker gives it up, which takes a minute or more: those of
            # others are watched too, with a longer limit. Work that is done twice is harmless, work that is left is not.
            is_ours = (context, partition) in assigned
            position = await subscriber.position(context, partition)
            is_at_rest &= position == head
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
        self._at_rest.pop((subscriber.name, context), None)
        if is_at_rest:
            self._at_rest[subscriber.name, context] = heads
            for partition in range(len(heads)):  # what comes next has its time from then on
                self._progress.pop((subscriber.name, context, partition), None)
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
