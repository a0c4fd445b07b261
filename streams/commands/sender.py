"""The sender of commands to their topics."""

import asyncio
import time
from collections.abc import Sequence

from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable
from schemas.message import Command
from schemas.system import ContextName
from streams.broker.clients import ResilientProducer
from streams.broker.cloudevents import encode_command
from streams.broker.provisioning import OF_LOGS, ensure_topics
from streams.broker.topic_names import Topics
from streams.log.partitioning import partition_of
from streams.log.stored_events import ENVELOPE_BYTES
from streams.settings import Settings

_LOOK_SECONDS = 5.0
"""Seconds between two looks at whether missing topics have been created."""


class CommandSender:
    """Sends commands to the topics of their contexts."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._catalog, self._topics = catalog, Topics(settings, catalog)
        self._settings = settings
        self.max_command_bytes = settings.max_record_bytes - ENVELOPE_BYTES
        """Largest JSON of a command that a topic accepts."""
        self._producer = ResilientProducer(settings, "commands", self._look_at_topics)
        self._usable: frozenset[ContextName] = frozenset()
        """Contexts whose topics exist."""
        self._looked = 0.0

    async def send(self, commands: Sequence[tuple[ContextName, CommandEnvelope[Command], str]]) -> None:
        """Sends commands, each with the key that orders it, and returns when the broker has acknowledged all of them.

        Raises `Unavailable` if it does not, or if the topic of one does not exist; the others are sent all the same. Some may
        be in the topic then; sending all of them again is safe.
        """
        async with self._producer.connected() as producer:
            if self._missing(commands) and time.monotonic() - self._looked > _LOOK_SECONDS:
                await self._look_at_topics()
            acknowledgements = []
            for context, command, key in commands:
                if context not in self._usable:
                    continue
                record = encode_command(command, context.system, key)
                acknowledgements.append(
                    await producer.send(
                        self._topics.commands(context),
                        record.value,
                        record.key,
                        partition=partition_of(key, self._catalog.context(context).partitions),
                        timestamp_ms=record.timestamp_ms,
                        headers=record.headers,
                    )
                )
            await asyncio.gather(*acknowledgements)
        if missing := self._missing(commands):
            raise Unavailable("the topics of some commands do not exist", ", ".join(sorted(map(str, missing))))

    def _missing(self, commands: Sequence[tuple[ContextName, CommandEnvelope[Command], str]]) -> set[ContextName]:
        return {context for context, _, _ in commands} - self._usable

    async def _look_at_topics(self) -> None:
        self._looked = time.monotonic()
        self._usable = frozenset(await ensure_topics(self._settings, self._catalog, kinds=OF_LOGS))

    async def close(self) -> None:
        """Closes the connection to the broker; the next `send` opens another."""
        await self._producer.close()
