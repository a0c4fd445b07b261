"""The consumer of incoming integration topics: records of other teams, which may hold anything."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from schemas.catalog import Catalog
from schemas.errors import CaudalError
from schemas.integration import IncomingTopic
from schemas.system import ContextName
from streams.broker.cloudevents import place_of
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.consumer import RecordConsumer
from streams.installation import served_contexts
from streams.settings import Settings
from streams.subscriptions.dead_letter_topic import origin_headers, sendable
from streams.subscriptions.faults import describe

_log = structlog.get_logger()
_GROUP = "integration"


class IncomingConsumer(RecordConsumer):
    """Consumes the incoming topics of the contexts that the process serves."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._topics, served = Topics(settings, catalog), served_contexts(settings, catalog)
        self.sources: Mapping[str, tuple[ContextName, IncomingTopic]] = {
            self._topics.integration(one.topic): (context, one) for context in served for one in catalog.incoming(context)
        }
        """The context and the declaration of each topic."""
        contexts = sorted({context for context, _ in self.sources.values()})
        super().__init__(settings, _GROUP, list(self.sources), partial(ensure_topics, settings, catalog, contexts))

    async def park(self, record: Any, error: Exception, *, keep_value: bool) -> None:
        """Publishes a record that is not a command on its topic's dead letters, with the reason.

        ``keep_value=False`` leaves out its value, key and headers, which may hold personal data. Raises `Unavailable`.
        """
        context, incoming = self.sources[record.topic]
        why = f"{error.kind}: {describe(error)}" if isinstance(error, CaudalError) else describe(error)
        _log.warning("record parked", topic=record.topic, partition=record.partition, offset=record.offset, why=why)
        headers = [*(record.headers if keep_value else ()), *origin_headers(context, place_of(record), why, _GROUP)]
        key = record.key if keep_value else None
        value = sendable(key, record.value if keep_value else None)
        async with self._producer.connected() as producer:
            dead_letters = self._topics.integration_dead_letters(incoming.topic)
            await producer.send_and_wait(dead_letters, value, key, headers=headers)
