"""The checkpoint rule: what a subscriber that stands at a position applies, skips, or first fetches from the log."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from schemas.errors import Misconfigured
from streams.log.reading import ReadableLog, partition_events
from streams.log.stored_events import StoredEvent

_log = structlog.get_logger()
_MAX_BATCH_SIZE = 5000

SKIPPED = Counter("caudal_subscription_skipped", "Events that came again.", ["subscription", "context"])
REPAIRED = Counter(
    "caudal_subscription_repaired",
    "Events that the topic did not deliver and the log did.",
    ["subscription", "context"],
)


@dataclass(frozen=True, slots=True)
class Continuation:
    """How a subscriber goes on."""

    rows: list[StoredEvent]
    """What to apply now, in order and without a hole."""
    is_whole: bool
    """Whether that is all; otherwise apply these, and ask again from there."""


async def continuation(
    subscription: str, position: int, rows: Sequence[StoredEvent], log: ReadableLog, partition: int
) -> Continuation:
    """The rows with which a subscriber that stands at ``position`` in a partition goes on.

    A row at or below the position is skipped. Where a row's predecessor is above it, what is missing is read from the
    log, some thousand rows at a time, and reported. Raises `Unavailable` where the log is out of reach, and
    `Misconfigured` where it does not hold what the topic goes on from: either way going on would leave a hole.
    """
    context = str(log.context)
    fresh: list[StoredEvent] = []
    for row in rows:
        if row.position <= position:
            SKIPPED.labels(subscription, context).inc()
            continue
        if row.previous > position:
            missing = await _missing(log, partition, position, row.previous)
            _log.warning(
                "filled a hole from the log",
                subscription=subscription,
                context=context,
                partition=partition,
                after=position,
                up_to=missing[-1].position,
                events=len(missing),
            )
            REPAIRED.labels(subscription, context).inc(len(missing))
            fresh += missing
            if missing[-1].position < row.previous:
                return Continuation(fresh, is_whole=False)
        fresh.append(row)
        position = row.position
    return Continuation(fresh, is_whole=True)


def is_next(position: int, rows: Sequence[StoredEvent]) -> bool:
    """Whether rows go on from a position, all of them and without a hole."""
    for row in rows:
        if not row.previous <= position < row.position:
            return False
        position = row.position
    return True


async def _missing(log: ReadableLog, partition: int, after: int, up_to: int) -> list[StoredEvent]:
    missing: list[StoredEvent] = []
    async for chunk in partition_events(log, partition, after, up_to):
        missing += chunk
        if len(missing) >= _MAX_BATCH_SIZE:
            return missing
    if not missing or missing[-1].position != up_to:
        raise Misconfigured(
            f"the log of {log.context} has no event {up_to}, from which its topic goes on: another log's topic?"
        )
    return missing
