"""Commands by topic: handles every command of the commands topics once, and parks invalid records.

A record's offset is committed after it is handled; a repeated command is recognised by its receipt.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import Counter

from command_api.clock import now
from command_api.handling.handler import CommandHandler
from command_api.handling.idempotency import command_id
from command_api.handling.validation import check_encrypted, parse_json, validate_command
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Conflict, Failed, IdempotencyKeyReused, Malformed, NotFound, Rejected, Unavailable
from schemas.message import Command
from schemas.sensitive import secret_fields
from schemas.system import ContextName
from streams.broker.cloudevents import IncomingCommand, decode_command
from streams.commands.consumer import CommandConsumer
from streams.settings import Settings

_log = structlog.get_logger()

PARKED = Counter("caudal_commands_parked", "Records of commands topics that are no commands.", ["topic"])


class TopicWorker:
    """Handles the commands of one process's share of the commands topics."""

    def __init__(self, settings: Settings, catalog: Catalog, handler: CommandHandler) -> None:
        self._settings, self._catalog, self._handler = settings, catalog, handler
        self._consumer = CommandConsumer(settings, catalog, "commands")

    def why_not_ready(self) -> str | None:
        """Returns why no command can be taken yet, or ``None``."""
        return self._consumer.why_not_ready()

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database."""
        await self._consumer.run(self._handle_batch)

    async def _handle_batch(self, records: Sequence[Any]) -> None:
        """Handles or parks every record: those of one key in order, others side by side."""
        by_key: dict[tuple[str, bytes | None], list[Any]] = defaultdict(list)
        for record in records:
            by_key[record.topic, record.key].append(record)
        await asyncio.gather(*(self._handle_in_order(group) for group in by_key.values()))

    async def _handle_in_order(self, records: Iterable[Any]) -> None:
        for record in records:
            await self._handle(record)

    async def _handle(self, record: Any) -> None:
        """Handles one record until it has a receipt or is parked."""
        pause = 0.05
        while True:
            try:
                await self._finish(self._envelope(record))
                return
            except (Unavailable, Conflict) as error:
                _log.warning("command not handled yet", error=error.detail, retry_seconds=pause)
            except Exception as error:
                if not isinstance(error, CaudalError):
                    _log.exception("command not handled", topic=record.topic, offset=record.offset)
                if await self._parked(record, error):
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5)

    async def _finish(self, command: CommandEnvelope[Command]) -> None:
        try:
            await self._handler.handle(command, record_failure=True)
        except Failed:
            raise
        except Rejected as error:
            name, correlation_id = command.data.message_name, command.correlation_id
            _log.info("command rejected", command=name, id=str(command.id), correlation_id=correlation_id, reason=error.detail)

    async def _parked(self, record: Any, error: Exception) -> bool:
        """Parks a record, with a receipt for its sender if it has an id; returns whether that succeeded."""
        try:
            await self._consumer.park(record, error, keep_value=not self._may_hold_secrets(record))
            with suppress(Malformed, IdempotencyKeyReused):
                context, incoming = self._consumer.context_of(record), decode_command(record)
                why = error.detail if isinstance(error, CaudalError) else repr(error)
                id = _id(context, incoming)
                await self._handler.record_failure(context, id, incoming.correlation_id, why)
        except Unavailable as unavailable:
            _log.warning("record not parked yet", error=unavailable.detail)
            return False
        PARKED.labels(record.topic).inc()
        return True

    def _may_hold_secrets(self, record: Any) -> bool:
        """Returns whether a record may hold sensitive data; an unreadable one may be any of its context's commands."""
        try:
            system, _, name = decode_command(record).type.partition(".")
            return bool(secret_fields(self._catalog.command(system, name)[1]))
        except (Malformed, NotFound):
            context = self._consumer.context_of(record)
            return any(secret_fields(command) for home, command in self._catalog.commands() if home == context)

    def _envelope(self, record: Any) -> CommandEnvelope[Command]:
        incoming = decode_command(record)
        system, _, name = incoming.type.partition(".")
        context, command_class = self._catalog.command(system, name)
        command = check_encrypted(validate_command(parse_json(incoming.value, self._settings.max_body_depth), command_class))
        return CommandEnvelope(
            data=command,
            id=_id(context, incoming),
            at=_at(incoming),
            correlation_id=incoming.correlation_id,
            causation_id=incoming.causation_id,
            actor=incoming.actor,
            traceparent=incoming.traceparent,
        )


def _at(incoming: IncomingCommand) -> datetime:
    """Returns the time of a command: its sender's, or the current one if the sender names none or one of the future."""
    arrived = now()
    return arrived if incoming.at is None else min(incoming.at, arrived)


def _id(context: ContextName, incoming: IncomingCommand) -> UUID:
    return incoming.id if incoming.idempotency_key is None else command_id(context, incoming.idempotency_key)
