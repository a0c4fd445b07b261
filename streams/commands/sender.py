"""The sender of commands to their topics."""

import asyncio
from collections.abc import Sequence
from functools import partial

from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from schemas.system import ContextName
from streams.broker.clients import ResilientProducer
from streams.broker.cloudevents import encode_command
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.log.partitioning import partition_of
from streams.settings import Settings


class CommandSender:
    """Sends commands to the topics of their contexts."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._catalog, self._topics = catalog, Topics(settings, catalog)
        self._producer = ResilientProducer(settings, partial(ensure_topics, settings, catalog))

    async def send(self, commands: Sequence[tuple[ContextName, CommandEnvelope[Command], str]]) -> None:
        """Sends commands, each with the key that orders it, and returns when the broker has acknowledged all of them.

        Raises `Unavailable` if it does not. Some may be in the topic then; sending all of them again is safe.
        """
        async with self._producer.connected() as producer:
            acknowledgements = []
            for context, command, key in commands:
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

    async def close(self) -> None:
        """Closes the connection to the broker; the next `send` opens another."""
        await self._producer.close()
