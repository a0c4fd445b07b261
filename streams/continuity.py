"""The checkpoint rule: what a subscriber that stands at a position applies, skips, or first fetches from the log."""

from collections.abc import Sequence

import structlog
from prometheus_client import Counter

from streams.log import ReadableLog, partition_events
from streams.rows import Row

_log = structlog.get_logger()

SKIPPED = Counter("caudal_subscription_skipped", "Events that came again.", ["subscription", "context"])
REPAIRED = Counter(
    "caudal_subscription_repaired",
    "Events that the topic did not deliver and the log did.",
    ["subscription", "context"],
)


async def rows_to_apply(subscription: str, position: int, rows: Sequence[Row], log: ReadableLog, partition: int) -> list[Row]:
    """The rows with which a subscriber that stands at ``position`` in a partition goes on, in order and without a hole.

    A row at or below the position is skipped. Where a row's predecessor is above it, what is missing is read from the
    log and reported. Raises `Unavailable` where the log is out of reach: going on would leave a hole.
    """
    context = str(log.context)
    fresh: list[Row] = []
    for row in rows:
        if row.position <= position:
            SKIPPED.labels(subscription, context).inc()
            continue
        if row.previous > position:
            missing = [m async for chunk in partition_events(log, partition, position, row.previous) for m in chunk]
            _log.warning(
                "filled a hole from the log",
                subscription=subscription,
                context=context,
                partition=partition,
                after=position,
                upto=row.previous,
                events=len(missing),
            )
            REPAIRED.labels(subscription, context).inc(len(missing))
            fresh += missing
        fresh.append(row)
        position = row.position
    return fresh
