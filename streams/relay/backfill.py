"""Backfill: publishes events of a log once more, marked as such, where its topic has lost or altered them."""

from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.catalog import Catalog
from schemas.errors import Unavailable
from streams.broker.cloudevents import BACKFILLED
from streams.broker.publishing import publish
from streams.broker.topics import Topics, ensure_topics, started_producer, stop_quietly
from streams.log.search import SearchableLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings

_BATCH_SIZE = 1000


class Backfill:
    """Fills the topic of one context's events from its log. Subscribers skip what they have seen."""

    def __init__(self, settings: Settings, catalog: Catalog, log: SearchableLog) -> None:
        self._settings, self._catalog, self._log = settings, catalog, log

    async def positions(self, positions: Sequence[int]) -> int:
        """Publishes the events at some positions; returns how many. Raises `Unavailable`."""
        wanted = sorted(positions)
        chunks = (wanted[at : at + _BATCH_SIZE] for at in range(0, len(wanted), _BATCH_SIZE))
        published = 0
        async with _Publisher(self._settings, self._catalog, self._log) as publisher:
            for chunk in chunks:
                published += await publisher.publish(await self._log.read_positions(chunk))
        return published

    async def between(self, after: int, up_to: int, on_progress: Callable[[int], None]) -> int:
        """Publishes the events above ``after`` and not above ``up_to``; returns how many. Raises `Unavailable`.

        Calls ``on_progress`` with the position that was reached.
        """
        published = 0
        async with _Publisher(self._settings, self._catalog, self._log) as publisher:
            while after < up_to and (
                rows := [row for row in await self._log.read(after, _BATCH_SIZE) if row.position <= up_to]
            ):
                published += await publisher.publish(rows)
                after = rows[-1].position
                on_progress(after)
        return published


class _Publisher:
    """A producer for the time of one backfill."""

    def __init__(self, settings: Settings, catalog: Catalog, log: SearchableLog) -> None:
        self._settings, self._catalog, self._context = settings, catalog, log.context
        self._topic = Topics(settings, catalog).events(log.context)

    async def __aenter__(self) -> "_Publisher":
        await ensure_topics(self._settings, self._catalog, [self._context])
        try:
            self._producer: AIOKafkaProducer = await started_producer(self._settings)
        except (KafkaError, OSError) as error:
            raise Unavailable("no broker answers", f"{self._settings.brokers}: {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop_quietly(self._producer)

    async def publish(self, rows: Sequence[StoredEvent]) -> int:
        try:
            await publish(self._producer, self._topic, self._context, rows, [BACKFILLED])
        except (KafkaError, OSError) as error:
            raise Unavailable("no broker acknowledges", str(error)) from error
        return len(rows)
