"""Registration of the integration topics, by ``caudal migrate``: schemas get their ids, and each topic its beginning."""

from collections import Counter
from collections.abc import Iterator

from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.integration import IncomingTopic, OutgoingTopic, Record
from schemas.system import ContextName
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.installation import Installation, integration_store
from streams.integration_topics.avro import schema_of
from streams.integration_topics.registry import OwnRegistry, RemoteRegistry
from streams.log.reading import PostgresLog
from streams.settings import Settings


async def register(settings: Settings, catalog: Catalog) -> list[str]:
    """Registers what the installed systems publish on integration topics; returns what it did, a line each.

    What is new is published from the end of its log on. Raises `Misconfigured` for a schema whose readers cannot read older
    records, and `Unavailable` if the registry or a database is out of reach.
    """
    outgoing_topics, incoming_topics = list(_outgoing(catalog)), list(_incoming(catalog))
    if not outgoing_topics and not incoming_topics:
        return []
    databases, topics = Databases(None, pool_size=2), Topics(settings, catalog)  # one connection holds the lock
    installation = Installation(settings, catalog, databases)
    store = integration_store(settings, databases)
    remote = RemoteRegistry(settings) if settings.schema_registry_url else None
    registry, done = remote or OwnRegistry(store), list[str]()
    names = {(topics.integration(outgoing.topic), outgoing.name) for _, outgoing in outgoing_topics}
    records = Counter(topic for topic, _ in names)

    async def registered(subject: str, record: Record) -> int:
        schema = await registry.register(subject, schema_of(record))
        values = (schema.id, schema.subject, schema.version, schema.definition)
        await store.execute("schema_register", settings.schema_registry_url, *values)
        return schema.id

    async def register_all() -> None:
        known = {(row["topic"], row["name"]): row["schema_id"] for row in await store.fetch("outgoing")}
        for context, outgoing in outgoing_topics:
            topic, id = topics.integration(outgoing.topic), None
            if outgoing.record is not None:
                id = await registered(_subject(topic, outgoing, records[topic]), outgoing.record)
            name = outgoing.registered_as
            if (topic, name) not in known or known[topic, name] != id:
                head = (await PostgresLog(installation.log_store(context), context).head()).position
                await store.execute("outgoing_register", topic, name, str(context), id, head)
                done.append(f"integration topic {topic}: {outgoing.name}")
        for incoming in incoming_topics:
            if incoming.record is not None:
                await registered(f"{topics.integration(incoming.topic)}-value", incoming.record)

    try:
        async with store.transaction() as lock:
            await lock.execute(store.sql("integration_lock"))
            await register_all()
    finally:
        if remote is not None:
            await remote.close()
        await databases.close()
    return list(dict.fromkeys(done))


def _subject(topic: str, outgoing: OutgoingTopic, records: int) -> str:
    """Returns the subject of a topic's schema: ``<topic>-value``, or with the record's name if a topic has several records."""
    return f"{topic}-value" if records == 1 else f"{topic}-{outgoing.name}"


def _incoming(catalog: Catalog) -> Iterator[IncomingTopic]:
    """Yields what other teams send; raises `Misconfigured` for a topic that takes two kinds of commands."""
    seen: set[str] = set()
    for context in catalog.contexts:
        for incoming in catalog.incoming(context):
            if incoming.topic in seen:
                raise Misconfigured(f"the topic {incoming.topic} takes two kinds of commands")
            seen.add(incoming.topic)
            yield incoming


def _outgoing(catalog: Catalog) -> Iterator[tuple[ContextName, OutgoingTopic]]:
    """Yields what is published, with its context.

    Raises `Misconfigured` for two records of one event, or two different records of one name, on one topic.
    """
    seen: dict[tuple[str, str], Record | None] = {}
    for context in catalog.contexts:
        for outgoing in catalog.outgoing(context):
            names = (outgoing.topic, outgoing.registered_as), (outgoing.topic, outgoing.name)
            if names[0] in seen or seen.get(names[1], outgoing.record) != outgoing.record:
                raise Misconfigured(f"the topic {outgoing.topic} has {outgoing.name} twice")
            seen |= dict.fromkeys(names, outgoing.record)
            yield context, outgoing
