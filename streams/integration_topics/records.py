"""The records that follow from stored events, and their bytes, which depend on the event and the schema alone."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
import structlog
from prometheus_client import Counter

from schemas.catalog import Catalog
from schemas.errors import TooLarge, Unavailable
from schemas.integration import OutgoingTopic
from schemas.system import ContextName
from streams.broker.cloudevents import encode_event, source_of
from streams.broker.topic_names import Topics
from streams.database.store import Store
from streams.integration_topics.avro import encode, enveloped, schema_of
from streams.integration_topics.registry import OwnRegistry
from streams.log.stored_events import ENVELOPE_BYTES, StoredEvent, decode
from streams.settings import Settings

_log = structlog.get_logger()
FAILED = Counter("caudal_integration_failed", "Records of integration topics that could not be made of their event.", ["topic"])
_AVRO, _JSON, _TEXT = b"application/avro", b"application/json", b"text/plain; charset=utf-8"


class IntegrationRecord(NamedTuple):
    """A record of an integration topic."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int
    partition: int
    values: Mapping[str, Any] | None
    """The values of a record of Avro."""


class _Published(NamedTuple):
    outgoing: OutgoingTopic
    topic: str
    schema: str
    schema_id: int | None
    begins_after: int


class IntegrationRecords:
    """Makes the records of one context's events."""

    def __init__(self, context: ContextName, catalog: Catalog, published: Iterable[_Published], max_record_bytes: int) -> None:
        self._context, self._catalog, self._max_bytes = context, catalog, max_record_bytes - ENVELOPE_BYTES
        self._by_event: dict[str, list[_Published]] = {}
        self.source = source_of(context)
        """The header ``ce_source`` of every record."""
        self.topics: set[str] = set()
        for one in published:
            self.topics.add(one.topic)
            for name in catalog.names_of(context, one.outgoing.event):
                self._by_event.setdefault(name, []).append(one)

    @classmethod
    async def registered(cls, context: ContextName, settings: Settings, catalog: Catalog, store: Store) -> "IntegrationRecords":
        """Returns the records of a context as ``caudal migrate`` registered them; raises `Unavailable` before it has."""
        declared = catalog.outgoing(context)
        if not declared:
            return cls(context, catalog, (), settings.max_record_bytes)
        known = {(row["topic"], row["name"]): row for row in await store.fetch("outgoing")}
        definitions = await OwnRegistry(store, settings.schema_registry_url).definitions()
        published, topics = [], Topics(settings, catalog)
        for outgoing in declared:
            topic = topics.integration(outgoing.topic)
            if (row := known.get((topic, outgoing.registered_as))) is None:
                raise Unavailable(f"the integration topic {topic} is not registered for {outgoing.name}: run `caudal migrate`")
            schema = "" if outgoing.record is None else schema_of(outgoing.record)
            if outgoing.record is not None and definitions.get(row["schema_id"]) != schema:
                raise Unavailable(
                    f"the integration topic {topic} is registered with another schema of {outgoing.name}: run `caudal migrate`"
                )
            published.append(_Published(outgoing, topic, schema, row["schema_id"], row["begins_after"]))
        return cls(context, catalog, published, settings.max_record_bytes)

    def of(self, row: StoredEvent) -> list[IntegrationRecord]:
        """Returns the records that follow from an event.

        One that cannot be made, because its function raises or its schema does not allow the content, is left out, logged and
        counted: it must not hold up the log.
        """
        made = []
        for topic, record in self.attempts(row):
            if isinstance(record, IntegrationRecord):
                made.append(record)
            else:
                FAILED.labels(topic).inc()
                where = {"topic": topic, "context": str(self._context), "position": row.position}
                _log.error("integration record not made", exc_info=record, **where)
        return made

    def attempts(self, row: StoredEvent) -> Iterator[tuple[str, IntegrationRecord | Exception]]:
        """Yields each topic on which something follows from an event, with its record or why it cannot be made."""
        for one in self._by_event.get(row.type, ()):
            if row.position <= one.begins_after:
                continue
            try:
                record = self._record(one, row)
            except Exception as error:
                yield one.topic, error
            else:
                if record is not None:
                    yield one.topic, record

    def _record(self, one: _Published, row: StoredEvent) -> IntegrationRecord | None:
        recorded = decode(row, self._context, self._catalog)
        content = one.outgoing.content(recorded)
        values: Mapping[str, Any] | None = None
        if content is None:
            return None
        if one.outgoing.record is not None:
            if not isinstance(content, Mapping) or one.schema_id is None:
                raise TypeError(f"{one.outgoing.name} needs the fields of its record")
            values = enveloped(one.outgoing.record, content, recorded.id, recorded.recorded_at, one.outgoing.type)
            value, content_type = encode(one.schema, one.schema_id, values), _AVRO
        elif isinstance(content, str):
            value, content_type = content.encode(), _TEXT
        else:
            value, content_type = orjson.dumps(content, option=orjson.OPT_UTC_Z), _JSON
        if len(value) > self._max_bytes:
            raise TooLarge(f"the record has {len(value)} bytes; it may have {self._max_bytes} at most")
        event = encode_event(row, self._context)
        headers = [(name, header) for name, header in event.headers if name in _PASSED_ON]
        headers += [("ce_type", one.outgoing.name.encode()), ("content-type", content_type)]
        return IntegrationRecord(one.topic, event.key, value, headers, event.timestamp_ms, row.partition, values)


_PASSED_ON = frozenset({"ce_specversion", "ce_id", "ce_source", "ce_subject", "ce_time", "ce_position", "ce_correlationid"})
"""The headers of the event's own record that its integration records have too."""
