"""The feed of a live page: the events of its system, read from their topics without a group, as frames of its topics.

The frames are made of the events in the same way as the records of the outgoing topics, and hold the same values::

    topic of the log ── event ── OutgoingTopic.content ── envelope ── JSON ──▶ History ──▶ every socket of this process
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.pages.history import MAX_FRAMES, Frame, History
from deploy.pages.live_page import LivePage
from schemas.catalog import Catalog
from schemas.errors import Misconfigured, Unavailable
from schemas.integration import OutgoingTopic
from schemas.system import ContextName
from streams.broker.clients import MAX_SILENCE_SECONDS, OUTAGES, connected_consumer
from streams.broker.cloudevents import decode_event, place_of
from streams.broker.topic_names import Topics
from streams.integration_topics.avro import enveloped
from streams.log.stored_events import decode
from streams.settings import Settings
from streams.subscriptions.faults import describe
from streams.telemetry.retrying import Backoff, keep_running, raise_if_cancelled

_log = structlog.get_logger()
_POLL_MS, _MAX_RECORDS = 200, 500


class Feed:
    """Reads the newest events of a page's topics into its history, and every event that follows."""

    def __init__(self, page: LivePage, settings: Settings, catalog: Catalog) -> None:
        """Raises `Misconfigured` if the page names a topic that its system does not publish, or one without an envelope."""
        self.history = History()
        self._page, self._settings, self._catalog, self._topics = page, settings, catalog, Topics(settings, catalog)
        self._outgoing = dict(_outgoing(page, catalog))
        self._next: dict[TopicPartition, int] = {}
        self._why_not_ready: str | None = "the newest events have not been read yet"

    async def why_not_ready(self) -> str | None:
        """Returns why the page does not show what happens now, or ``None``."""
        return self._why_not_ready

    async def run(self) -> None:
        """Reads until cancelled, through outages of the broker."""
        backoff = Backoff("feed interrupted", first_seconds=1, max_seconds=1, page=self._page.name)
        await keep_running(self._read, (Unavailable, *OUTAGES, TimeoutError), backoff)

    async def _read(self) -> None:
        partitions = [
            TopicPartition(self._topics.events(context), partition)
            for context in sorted({context for context, _ in self._outgoing})
            for partition in range(self._catalog.context(context).partitions)
        ]
        try:
            async with connected_consumer(self._settings, "page", auto_offset_reset="none") as consumer:
                consumer.assign(partitions)
                begin, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
                for tp in partitions:
                    first = self._next.get(tp, max(begin[tp], ends[tp] - MAX_FRAMES))
                    # A topic that was created again, or whose older records are gone, goes on with what it has.
                    consumer.seek(tp, first if begin[tp] <= first <= ends[tp] else begin[tp])
                await self._read_up_to(consumer, ends)
                self._why_not_ready = None
                while True:
                    raise_if_cancelled()
                    frames, offsets = await self._fetched(consumer)
                    self._add(frames, offsets)
        except Unavailable:
            self._why_not_ready = "the broker is out of reach"
            raise

    async def _read_up_to(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        """Reads what there is, and adds it in the order in which it was recorded; raises `TimeoutError` if nothing comes."""
        found, ahead, heard = list[Frame](), dict[TopicPartition, int](), time.monotonic()
        for tp, end in ends.items():
            while await consumer.position(tp) < end:
                raise_if_cancelled()
                frames, offsets = await self._fetched(consumer)
                found += frames
                ahead |= offsets
                if offsets:
                    heard = time.monotonic()
                elif time.monotonic() - heard > MAX_SILENCE_SECONDS:
                    raise TimeoutError(f"{tp.topic}/{tp.partition} brings no record below offset {end}")
        self._add(sorted(found, key=lambda frame: frame.at), ahead)

    def _add(self, frames: Sequence[Frame], offsets: Mapping[TopicPartition, int]) -> None:
        """Adds frames; only then is their place in the topic passed."""
        self.history.add(frames)
        self._next |= offsets

    async def _fetched(self, consumer: AIOKafkaConsumer) -> tuple[list[Frame], dict[TopicPartition, int]]:
        fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
        frames = [frame for records in fetched.values() for record in records for frame in self._frames(record)]
        return frames, {tp: records[-1].offset + 1 for tp, records in fetched.items()}

    def _frames(self, record: Any) -> list[Frame]:
        context = self._topics.context_of(record.topic)
        try:
            stored = decode_event(record)
            if (context, stored.type) not in self._outgoing:
                return []
            event = decode(stored, context, self._catalog)
            made = [self._frame(outgoing, event) for outgoing in self._outgoing[context, stored.type]]
        except Exception as error:  # also of a system's own function: one record must not stop every page
            _log.warning("record passed over", place=place_of(record), why=describe(error))
            return []
        return [frame for frame in made if frame is not None]

    def _frame(self, outgoing: OutgoingTopic, event: Any) -> Frame | None:
        content, record = outgoing.content(event), outgoing.record
        if content is None or record is None or not isinstance(content, Mapping):
            return None
        fields = {name: content.get(name) for name in record.fields}
        values = enveloped(record, fields, event.id, event.recorded_at, outgoing.type)
        return Frame(str(event.id), values["type"], event.recorded_at, orjson.dumps(values).decode())


def _outgoing(page: LivePage, catalog: Catalog) -> Iterator[tuple[tuple[ContextName, str], list[OutgoingTopic]]]:
    """Yields the outgoing topics that the page shows, by context and each name of their events."""
    found: dict[tuple[ContextName, str], list[OutgoingTopic]] = {}
    topics = set[str]()
    for context in catalog.contexts:
        if context.system != page.system:
            continue
        for outgoing in catalog.outgoing(context):
            if outgoing.topic not in page.topics:
                continue
            if outgoing.record is None or outgoing.record.service is None:
                raise Misconfigured(f"the page {page.name} cannot show {outgoing.topic}, whose records have no envelope")
            topics.add(outgoing.topic)
            for name in catalog.names_of(context, outgoing.event):
                found.setdefault((context, name), []).append(outgoing)
    if missing := set(page.topics) - topics:
        raise Misconfigured(f"the page {page.name} shows {', '.join(sorted(missing))}, which {page.system} does not publish")
    yield from found.items()
