"""Provisioning of topics: creates those that are missing and completes their partitions."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import InvalidPartitionsError, for_code

from schemas.catalog import Catalog
from schemas.errors import Misconfigured, Unavailable
from schemas.system import ContextName
from streams.broker.clients import ORIGIN_BYTES, OUTAGES, REQUEST_MS, start
from streams.broker.topic_names import Topics
from streams.settings import Settings
from streams.telemetry.retrying import reason

_log = structlog.get_logger()
_TOPIC_EXISTS = 36
_HOUR_MS = 3_600_000


async def ensure_topics(settings: Settings, catalog: Catalog, contexts: Iterable[ContextName] | None = None) -> None:
    """Creates the missing topics of some or all contexts, with their partitions and retention.

    Raises `Unavailable` while no broker answers, `Misconfigured` if a topic has more partitions than its log.
    """
    wanted = list(_wanted(settings, catalog, catalog.contexts if contexts is None else contexts))
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers, request_timeout_ms=REQUEST_MS)
    try:
        await start(admin)
        for topic, code, message in (await admin.create_topics(wanted)).topic_errors:
            if code not in (0, _TOPIC_EXISTS):
                raise Unavailable(f"the topic {topic} could not be created: {message or for_code(code).__name__}")
        await _complete_partitions(admin, wanted)
    except (*OUTAGES, TimeoutError) as error:
        raise Unavailable("no broker answers", f"{settings.brokers}: {reason(error)}") from error
    finally:
        await admin.close()


def _wanted(settings: Settings, catalog: Catalog, contexts: Iterable[ContextName]) -> Iterator[NewTopic]:
    topics, size = Topics(settings, catalog), settings.max_record_bytes
    records = {"max.message.bytes": str(size)}
    events = {"retention.ms": _retention(settings.events_retention_hours), **records}
    commands = {"retention.ms": _retention(settings.commands_retention_hours), **records}
    dead_letters = {"retention.ms": "-1", "max.message.bytes": str(size + ORIGIN_BYTES)}
    for context in contexts:
        partitions = catalog.context(context).partitions
        for name, count, config in (
            (topics.events(context), partitions, events),
            (topics.commands(context), partitions, commands),
            (topics.dead_letters(context), partitions, dead_letters),
            (topics.signed_heads(context), 1, {"cleanup.policy": "compact"}),
        ):
            yield NewTopic(name, count, settings.replication_factor, topic_configs=config)


async def _complete_partitions(admin: AIOKafkaAdminClient, wanted: Iterable[NewTopic]) -> None:
    """Adds partitions to a topic that the broker created by itself, on a client's look-up, with its default number."""
    by_name = {topic.name: topic.num_partitions for topic in wanted}
    for found in await admin.describe_topics(list(by_name)):
        name, partitions = found["topic"], len(found["partitions"])
        if partitions > by_name[name]:
            raise Misconfigured(
                f"the topic {name} has {partitions} partitions, but its log has {by_name[name]}: delete the topic, the relay "
                "fills it again from the log"
            )
        if partitions < by_name[name]:
            # The broker may not know yet about what was just created, and other processes complete topics as well.
            with suppress(InvalidPartitionsError):
                await admin.create_partitions({name: NewPartitions(by_name[name])})
                _log.info("topic partitions completed", topic=name, partitions=by_name[name])


def _retention(hours: int) -> str:
    return "-1" if hours < 0 else str(hours * _HOUR_MS)
