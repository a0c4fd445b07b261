"""Backfill: publishes events of a log again, marked as such, if its topic has lost or altered them."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from schemas.catalog import Catalog
from streams.broker.clients import ResilientProducer
from streams.broker.cloudevents import BACKFILLED, timeline_headers
from streams.broker.provisioning import PUBLISHED, ensure_topics
from streams.broker.publishing import publish
from streams.broker.topic_names import Topics
from streams.log.reading import log_events
from streams.log.search import SearchableLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings

_BATCH_SIZE, _POSITIONS_PER_READ = 1000, 100


class Backfill:
    """Fills the topic of one context's events from its log. Subscribers skip the events that they have seen."""

    def __init__(self, settings: Settings, catalog: Catalog, log: SearchableLog) -> None:
        self._log, self._topic = log, Topics(settings, catalog).events(log.context)
        self._producer = ResilientProducer(
            settings, "backfill", partial(ensure_topics, settings, catalog, [log.context], PUBLISHED)
        )

    async def positions(self, positions: Sequence[int]) -> int:
        """Publishes the events at some positions; returns how many. Raises `Unavailable`."""
        wanted = sorted(positions)
        chunks = (wanted[at : at + _POSITIONS_PER_READ] for at in range(0, len(wanted), _POSITIONS_PER_READ))
        try:
            return sum([await self._publish(await self._log.read_positions(chunk)) for chunk in chunks])
        finally:
            await self._producer.close()

    async def between(self, after: int, up_to: int, on_progress: Callable[[int], None]) -> int:
        """Publishes the events above ``after`` and not above ``up_to``; returns how many. Raises `Unavailable`.

        Calls ``on_progress`` with the position that it has reached.
        """
        published = 0
        try:
            async for rows in log_events(self._log, after, up_to, _BATCH_SIZE):
                published += await self._publish(rows)
                on_progress(rows[-1].position)
            return published
        finally:
            await self._producer.close()

    async def _publish(self, rows: Sequence[StoredEvent]) -> int:
        timelines = await self._log.timelines()
        async with self._producer.connected() as producer:
            for number, some in groupby(rows, lambda row: timelines.of(row.position)):
                headers = [BACKFILLED, *timeline_headers(number)]
                await publish(producer, self._topic, self._log.context, list(some), headers)
        return len(rows)
