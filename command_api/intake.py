"""Commands by topic: takes each context's commands topic in, handles every command once, parks what cannot be one.

A record's offset is committed after it has been handled; a command that comes again is recognised by its receipt.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from prometheus_client import Counter

from command_api.body import parse_json, validate_command
from command_api.handler import CommandHandler, now
from schemas.catalog import Catalog
from schemas.envelope import Issued
from schemas.errors import CaudalError, Conflict, Failed, InProgress, Invalid, NotFound, Unavailable
from schemas.message import Command
from streams.codec import decode_command
from streams.command_topics import CommandConsumer
from streams.settings import Settings

_log = structlog.get_logger()

HANDLED = Counter("caudal_intake_commands", "Commands taken from topics.", ["command", "outcome"])


class Intake:
    """Handles the commands of one process's share of the commands topics."""

    def __init__(self, settings: Settings, catalog: Catalog, handler: CommandHandler) -> None:
        self._settings, self._catalog, self._handler = settings, catalog, handler
        self._consumer = CommandConsumer(settings, catalog, "commands")

    async def run(self) -> None:
        """Runs until cancelled, through outages of the broker and the database."""
        await self._consumer.run(self._handle_batch)

    async def _handle_batch(self, records: Sequence[Any]) -> None:
        """Returns once every record is handled or parked: those of one key in order, others side by side."""
        by_key: dict[tuple[str, bytes | None], list[Any]] = defaultdict(list)
        for record in records:
            by_key[record.topic, record.key].append(record)
        await asyncio.gather(*(self._handle_in_order(group) for group in by_key.values()))

    async def _handle_in_order(self, records: Iterable[Any]) -> None:
        for record in records:
            await self._handle(record)

    async def _handle(self, record: Any) -> None:
        pause = 0.05
        while True:
            try:
                issued = self._issued(record)
                HANDLED.labels(issued.command.message_name, await self._outcome(issued)).inc()
                return
            except (Invalid, NotFound, Failed) as error:
                await self._consumer.park(record, error)
                HANDLED.labels("?", "parked").inc()
                return
            except (Unavailable, Conflict, InProgress) as error:
                _log.warning("handling a command again soon", why=error.detail, seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5)

    async def _outcome(self, issued: Issued[Command]) -> str:
        try:
            receipt = await self._handler.handle(issued, record_failure=True)
        except (Unavailable, Conflict, Failed):
            raise
        except CaudalError as error:
            name, correlation_id = issued.command.message_name, issued.correlation_id
            _log.info("refused", command=name, id=str(issued.id), correlation_id=correlation_id, why=error.detail)
            return error.kind
        return "repeated" if receipt.repeated else "accepted"

    def _issued(self, record: Any) -> Issued[Command]:
        incoming = decode_command(record)
        system, _, name = incoming.type.partition(".")
        _, command_class = self._catalog.command(system, name)
        command = validate_command(parse_json(incoming.value, self._settings.max_depth), command_class)
        return Issued(
            command=command,
            id=incoming.id,
            at=incoming.at or now(),
            correlation_id=incoming.correlation_id,
            causation_id=incoming.causation_id,
            actor=incoming.actor,
            traceparent=incoming.traceparent,
        )
