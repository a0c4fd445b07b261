"""Lost events: records of a topic that are no events of its log any more, because the log went back.

A log that went back behind its topic is suspended: its subscriptions handle nothing until an operator has accepted the loss
(`caudal recover`), so that no view and no policy takes a lost event for one that happened. Afterwards the records of the lost
part are skipped (`streams.log.timelines`).
"""

from collections.abc import Collection, Mapping
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from schemas.errors import Malformed
from schemas.system import ContextName
from streams.broker.clients import connected_consumer
from streams.broker.cloudevents import timeline_of
from streams.broker.divergence import is_ahead
from streams.broker.topic_names import Topics
from streams.log.reading import ReadableLog
from streams.log.stored_events import StoredEvent
from streams.log.timelines import FIRST, Timelines
from streams.settings import Settings

_log = structlog.get_logger()

LOST = Counter("caudal_lost_events_skipped", "Records of events that their log has lost.", ["context"])
WENT_BACK = Gauge("caudal_log_went_back", "Whether the log went back behind its topic, and waits for an operator.", ["context"])


class LostEvents:
    """Recognises lost events of the logs that one process follows."""

    def __init__(self, settings: Settings, topics: Topics, logs: Mapping[ContextName, ReadableLog]) -> None:
        self._settings, self._topics, self._logs = settings, topics, logs
        self._timelines: dict[ContextName, Timelines] = {}
        self.suspended: frozenset[ContextName] = frozenset()
        """The contexts whose log went back, and of which nothing is handled now."""

    def why_not_ready(self) -> str | None:
        """Returns which logs went back and what to do, or ``None``."""
        return "; ".join(went_back(context) for context in sorted(self.suspended)) or None

    async def check(self, contexts: Collection[ContextName]) -> frozenset[ContextName]:
        """Compares logs with their topics, and suspends those that are behind; returns those that are not suspended any more.

        Raises `Unavailable` if the broker or a log is out of reach.
        """
        suspended = set(self.suspended - set(contexts))
        async with connected_consumer(self._settings, "recovery") as consumer:
            for context in contexts:
                log = self._logs[context]
                timelines = self._timelines[context] = await log.timelines()
                is_behind = timelines.pending is not None or await is_ahead(
                    log, consumer, self._topics.events(context), timelines
                )
                if is_behind:
                    suspended.add(context)
                WENT_BACK.labels(str(context)).set(is_behind)
        before, self.suspended = self.suspended, frozenset(suspended)
        for context in self.suspended - before:
            _log.error("log went back", context=str(context), next=f"run `caudal recover {context}`")
        return before - self.suspended

    def suspend(self, context: ContextName) -> None:
        """Suspends a log whose head is behind a checkpoint."""
        if context not in self.suspended:
            _log.error("log went back behind a checkpoint", context=str(context), next=f"run `caudal recover {context}`")
            WENT_BACK.labels(str(context)).set(1)
            self.suspended |= {context}

    async def read_unknown(self, context: ContextName, records: Collection[Any]) -> None:
        """Reads the timelines of a log again if a record has one that is not known; raises `Unavailable`."""
        known = self._timelines.get(context)
        if known is None or any(_timeline(record) > known.newest for record in records):
            self._timelines[context] = await self._logs[context].timelines()

    def is_lost(self, context: ContextName, record: Any, event: StoredEvent) -> bool:
        """Returns whether an event's record is of a part that its log has lost; raises `Malformed`."""
        timelines = self._timelines.get(context, Timelines())
        if not timelines.is_lost(timeline_of(record), event.position):
            return False
        LOST.labels(str(context)).inc()
        return True


def went_back(context: ContextName) -> str:
    """Returns the sentence that says that a log went back, and what to do."""
    return f"the log of {context} went back behind what was published: run `caudal recover {context}`"


def _timeline(record: Any) -> int:
    """Returns the timeline of a record; the first for a foreign one."""
    try:
        return timeline_of(record)
    except Malformed:
        return FIRST
