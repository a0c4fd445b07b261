"""Incoming integration topics: records of other teams become commands, which are sent to their own topics.

::

    record ── decode ──> content ── make ──> command ── validate, encrypt ──> commands topic ──> topic worker
       └── anything wrong ──> <topic>.dead-letters

From the commands topic on it is a command like any other. A record that comes again is handled once: the command's id is that
of the record's envelope, or is made of the record's place.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import structlog
from prometheus_client import Counter

from command_api.clock import now
from command_api.handling.handler import CommandHandler
from command_api.handling.validation import check_plain, parse_json, validating
from command_api.http.accepting import Acceptance
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Malformed, Unavailable
from schemas.expected_version import ANY_VERSION
from schemas.integration import IncomingTopic
from schemas.message import Command
from schemas.sensitive import secret_fields
from schemas.values.literals import read_uuid
from streams.broker.cloudevents import place_of
from streams.commands.incoming import IncomingConsumer
from streams.commands.sender import CommandSender
from streams.database.store import Store
from streams.integration_topics.avro import decode, decode_plain, schema_id, schema_of
from streams.integration_topics.registry import WriterSchemas
from streams.settings import Settings
from streams.telemetry.retrying import Backoff, raise_if_cancelled, until_done

_log = structlog.get_logger()
_RECORDS = UUID("5c0a2f1e-8a55-5f37-9d0f-2f6b9d3c7a41")
ACCEPTED = Counter("caudal_integration_accepted", "Records of incoming topics whose command was sent to its topic.", ["topic"])
PARKED = Counter("caudal_integration_parked", "Records of incoming topics that are no commands.", ["topic"])


class IncomingTopics:
    """Turns records of other teams into commands."""

    def __init__(
        self, settings: Settings, catalog: Catalog, handler: CommandHandler, sender: CommandSender, store: Store
    ) -> None:
        """``store`` has the schemas of integration topics."""
        self._settings, self._writers = settings, WriterSchemas(settings, store)
        self._consumer = IncomingConsumer(settings, catalog)
        self._own_schemas = {
            topic: schema_of(incoming.record)
            for topic, (_, incoming) in self._consumer.sources.items()
            if incoming.record is not None
        }
        self._acceptance = Acceptance(handler, sender)

    @property
    def are_there(self) -> bool:
        """Whether there is a topic to consume."""
        return bool(self._consumer.sources)

    def why_not_ready(self) -> str | None:
        """Returns why records are not handled yet, or ``None``."""
        return self._consumer.why_not_ready() if self.are_there else None

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database."""
        try:
            await self._consumer.run(self._handle_batch, lambda: None)
        finally:
            await self._writers.close()

    async def _handle_batch(self, records: Sequence[Any]) -> None:
        for record in records:
            if not self._consumer.is_own(record):
                await self._handle(record)

    async def _handle(self, record: Any) -> None:
        """Accepts the command in a record, or parks the record; waits out outages."""
        _, incoming = self._consumer.sources[record.topic]
        backoff = Backoff("record not accepted yet", first_seconds=0.05, topic=record.topic, offset=record.offset)
        while True:
            raise_if_cancelled()
            try:
                envelope = await self._envelope(record, incoming)
                await self._acceptance.accept(envelope, ANY_VERSION, is_new=False)
            except Unavailable as error:
                await backoff.wait(error)
            except Exception as error:  # an author's function may raise anything about what strangers send
                await self._park(record, incoming, error)
                return
            else:
                ACCEPTED.labels(record.topic).inc()
                return

    async def _park(self, record: Any, incoming: IncomingTopic, error: Exception) -> None:
        keep = not (incoming.is_personal or secret_fields(incoming.command))
        if not isinstance(error, CaudalError):
            if keep:
                _log.error("incoming record not understood", topic=record.topic, offset=record.offset, exc_info=error)
            else:  # its message may repeat what came
                error = Malformed(f"the record was not understood: {type(error).__name__}")
        await until_done(lambda: self._consumer.park(record, error, keep_value=keep), "record not parked yet")
        PARKED.labels(record.topic).inc()

    async def _envelope(self, record: Any, incoming: IncomingTopic) -> CommandEnvelope[Command]:
        id, content = await self._content(record, incoming)
        with validating():
            made = incoming.make(content)
        if type(made) is not incoming.command:
            raise Malformed(f"{incoming.topic} makes a {type(made).__name__}, which it does not declare")
        return CommandEnvelope(data=check_plain(made), id=id, at=now(), correlation_id=str(id))

    async def _content(self, record: Any, incoming: IncomingTopic) -> tuple[UUID, Any]:
        """Returns the id of a record's command, and what came; raises `Malformed`, `Invalid` or `Unavailable`."""
        place = uuid5(_RECORDS, place_of(record))
        if record.value is None:
            raise Malformed("the record has no value")
        if len(record.value) > self._settings.max_body_bytes:
            raise Malformed(f"the record may have {self._settings.max_body_bytes} bytes at most")
        if incoming.record is not None:
            values = await self._decoded(record.value, self._own_schemas[record.topic])
            if incoming.record.service is None:
                return place, values
            data = values.get("data")
            if not isinstance(data, Mapping):
                raise Malformed("the record has no data")
            return _id(values.get("id"), place), data
        if incoming.is_text:
            try:
                return _given_id(record) or place, record.value.decode()
            except UnicodeDecodeError as error:
                raise Malformed("the record is not a text in UTF-8") from error
        document = parse_json(record.value, self._settings.max_body_depth)
        if not isinstance(document, dict):
            raise Malformed("the record is not a JSON object")
        return _given_id(record) or place, document

    async def _decoded(self, value: bytes, own: str) -> Mapping[str, Any]:
        """Returns the values of a record of Avro: by the schema that it names, or by the topic's own if it names none."""
        if value[:1] == b"\0":
            values = decode(await self._writers.definition(schema_id(value)), value, own)
        else:
            values = decode_plain(own, value)
        if not isinstance(values, Mapping):
            raise Malformed("the record is not a record of Avro")
        return values


def _given_id(record: Any) -> UUID | None:
    """Returns the id that a record's ``ce_id`` makes, if it has one."""
    given = dict(record.headers).get("ce_id")
    return None if given is None else uuid5(_RECORDS, f"{record.topic}#{given.decode(errors='replace')}")


def _id(given: object, otherwise: UUID) -> UUID:
    try:
        return read_uuid(given) if isinstance(given, str) else otherwise
    except ValueError:
        return otherwise
