"""Gap filling: which events follow a subscriber's position, from the topic, and from the log if the topic lacks them.

Each event names the position of the event before it in its partition (``previous``). For a subscriber at position ``p``::

    event.position <= p                     it was handled: skip it
    event.previous <= p < event.position    it is the next one
    event.previous >  p                     events are missing between p and it: read them from the log first
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from schemas.errors import Misconfigured
from streams.log.reading import ReadableLog, is_full, partition_events
from streams.log.stored_events import StoredEvent

_log = structlog.get_logger()
_MAX_BATCH_SIZE = 5000

DUPLICATES = Counter("caudal_subscription_duplicates", "Events that the topic delivered again.", ["subscription", "context"])
GAP_FILLED = Counter(
    "caudal_subscription_gap_filled",
    "Events that the topic did not deliver and that were read from the log.",
    ["subscription", "context"],
)


@dataclass(frozen=True, slots=True)
class NextEvents:
    """The events that follow a position."""

    events: list[StoredEvent]
    """In order and without a gap."""
    is_complete: bool
    """Whether these are all; if not, handle these and ask again from the new position."""


async def next_events(
    subscription: str, position: int, events: Sequence[StoredEvent], log: ReadableLog, partition: int
) -> NextEvents:
    """Returns the events that a subscriber at ``position`` of a partition handles next, some thousand at a time.

    Logs and counts the gaps that it fills. Raises `Unavailable` if the log is out of reach, and `Misconfigured` if the log
    does not hold the event that the topic continues from: a gap would be left in both cases.
    """
    context = str(log.context)
    found: list[StoredEvent] = []
    for event in events:
        if event.position <= position:
            DUPLICATES.labels(subscription, context).inc()
            continue
        if event.previous > position:
            missing = await _missing(log, partition, position, event.previous)
            _log.warning(
                "gap filled",
                subscription=subscription,
                context=context,
                partition=partition,
                after=position,
                up_to=missing[-1].position,
                events=len(missing),
            )
            GAP_FILLED.labels(subscription, context).inc(len(missing))
            found += missing
            if missing[-1].position < event.previous:
                return NextEvents(found, is_complete=False)
        found.append(event)
        position = event.position
    return NextEvents(found, is_complete=True)


def is_next(position: int, events: Sequence[StoredEvent]) -> bool:
    """Returns whether all of these events follow a position without a gap and without a duplicate."""
    for event in events:
        if not event.previous <= position < event.position:
            return False
        position = event.position
    return True


async def _missing(log: ReadableLog, partition: int, after: int, up_to: int) -> list[StoredEvent]:
    missing: list[StoredEvent] = []
    async for events in partition_events(log, partition, after, up_to):
        missing += events
        if is_full(missing, _MAX_BATCH_SIZE):
            return missing
    if not missing or missing[-1].position != up_to:
        raise Misconfigured(
            f"The log of {log.context} has no event {up_to}, but its topic continues from it: is this the topic of another log?"
            " Check CAUDAL_TOPIC_PREFIX."
        )
    return missing
