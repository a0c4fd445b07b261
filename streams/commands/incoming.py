"""The consumer of incoming integration topics: records of other teams, which may hold anything."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from schemas.catalog import Catalog
from schemas.integration import IncomingTopic
from schemas.system import ContextName
from streams.broker.cloudevents import source_of
from streams.broker.provisioning import INCOMING, ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.consumer import DeadLetterRecord, RecordConsumer
from streams.installation import served_contexts
from streams.settings import Settings

_GROUP = "integration"


class IncomingConsumer(RecordConsumer):
    """Consumes the incoming topics of the contexts that the process serves."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._topics, served = Topics(settings, catalog), served_contexts(settings, catalog)
        self.sources: Mapping[str, tuple[ContextName, IncomingTopic]] = {
            self._topics.integration(one.topic): (context, one) for context in served for one in catalog.incoming(context)
        }
        """The context and the declaration of each topic."""
        self._published = {
            self._topics.integration(one.topic) for context in catalog.contexts for one in catalog.outgoing(context)
        }
        self._own_sources = frozenset(map(source_of, catalog.contexts))
        contexts = sorted({context for context, _ in self.sources.values()})
        super().__init__(settings, _GROUP, list(self.sources), partial(ensure_topics, settings, catalog, contexts, INCOMING))

    def is_own(self, record: Any) -> bool:
        """Returns whether this deployment published a record, on a topic that is incoming and outgoing."""
        return record.topic in self._published and dict(record.headers).get("ce_source") in self._own_sources

    async def park(self, record: Any, error: Exception, *, keep_value: bool) -> None:
        """Publishes a record that is not a command on its topic's dead letters, with the reason.

        ``keep_value=False`` leaves out its value, key and headers, which may hold personal data. Raises `Unavailable`.
        """
        context, incoming = self.sources[record.topic]
        topic = self._topics.integration_dead_letters(incoming.topic)
        kept = DeadLetterRecord(topic, record.key, record.value, record.headers)
        if not keep_value:
            kept = DeadLetterRecord(topic, None, None, ())
        await self._publish_dead_letter(record, error, context, kept)
