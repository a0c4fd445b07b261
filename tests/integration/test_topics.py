"""Topics that exist with other partitions or another configuration than their logs and the settings have."""

from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import RequestTimedOutError
from structlog.testing import capture_logs

from schemas.catalog import Catalog
from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.broker.clients import new_admin, start, started_producer, stop_quietly
from streams.broker.provisioning import OF_LOGS, PUBLISHED, ensure_topics
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.running import NAME, started

CONTEXT = ContextName("data_ingestion", "ingestion")
PARTNERS = ContextName("partner_alliances", "integrations")


async def with_partitions(settings: Settings, topic: str, partitions: int, **config: str) -> None:
    admin = new_admin(settings)
    await start(admin)
    await admin.create_topics(
        [NewTopic(topic, partitions, 1, topic_configs={k.replace("_", "."): v for k, v in config.items()})]
    )
    await stop_quietly(admin)


async def test_partitions_beyond_those_of_the_log_are_ignored_and_no_context_waits(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    topic = Topics(settings, catalog).events(CONTEXT)
    await with_partitions(settings, topic, 6)
    with capture_logs() as logged:
        async with started(settings, catalog, databases) as running:
            await running.add(20)
            await running.shows(20)
            producer = await started_producer(settings)
            await producer.send_and_wait(topic, b"foreign", b"k", partition=5)
            await stop_quietly(producer)

            control = running.subscription._controls[NAME]
            control.suspend()

            async def is_resumed() -> bool:
                return not control.is_suspended

            await eventually(is_resumed)
            await running.add(20)
            await running.shows(40)
            assert await running.is_verified()

    events = [line["event"] for line in logged]
    assert {"partitions": 6, "used": 4, "topic": topic}.items() <= logged[
        events.index("topic has more partitions than its log")
    ].items()
    assert not {"subscription control failed", "relay interrupted", "foreign records parked"} & set(events)


class WithoutController(AIOKafkaAdminClient):  # type: ignore[misc]
    """A client of a cluster that has lost its controller: its brokers serve what exists, and cannot create anything."""

    async def create_topics(self, *arguments: Any, **options: Any) -> Any:
        raise RequestTimedOutError

    create_partitions = alter_configs = create_topics


async def test_topics_that_exist_are_used_while_the_cluster_has_no_controller(
    settings: Settings, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [context for context in catalog.contexts if context != CONTEXT]
    await ensure_topics(settings, catalog, others)
    monkeypatch.setattr("streams.broker.clients.AIOKafkaAdminClient", WithoutController)

    with capture_logs() as logged:
        assert set(await ensure_topics(settings, catalog)) == set(others)

    assert f"the topic {Topics(settings, catalog).events(CONTEXT)} could not be created: " in str(logged)
    with pytest.raises(Unavailable, match="RequestTimedOutError"):
        await ensure_topics(settings, catalog, [CONTEXT])


async def configuration(admin: AIOKafkaAdminClient, topic: str) -> dict[str, Any]:
    (described,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {entry[0]: entry[1] for entry in described.resources[0][4]}


async def test_another_configuration_is_logged(settings: Settings, catalog: Catalog) -> None:
    topic = Topics(settings, catalog).events(CONTEXT)
    await with_partitions(settings, topic, 4, retention_ms="3600000", cleanup_policy="compact")

    with capture_logs() as logged:
        assert CONTEXT in await ensure_topics(settings, catalog)

    (line,) = [line for line in logged if line["event"] == "topic configured otherwise"]
    assert (line["topic"], line["found"]["retention.ms"], line["wanted"]["retention.ms"]) == (topic, "3600000", "-1")
    assert (line["found"]["cleanup.policy"], line["wanted"]["cleanup.policy"]) == ("compact", "delete")


async def test_a_topic_of_another_team_keeps_its_partitions_and_configuration(settings: Settings) -> None:
    own = settings.model_copy(update={"integration_prefix": f"{settings.topic_prefix}."})
    alliances = installed_catalog(["partner_alliances"])
    incoming = f"{settings.topic_prefix}.comando-crear-partner"
    await with_partitions(own, incoming, 2, retention_ms="3600000")

    with capture_logs() as logged:
        assert PARTNERS in await ensure_topics(own, alliances)

    assert "topic configured otherwise" not in {line["event"] for line in logged}
    admin = new_admin(own)
    await start(admin)
    (described,) = await admin.describe_topics([incoming])
    found = await configuration(admin, incoming)
    await stop_quietly(admin)
    assert (len(described["partitions"]), found["retention.ms"]) == (2, "3600000")


async def test_a_context_that_cannot_publish_for_others_still_takes_commands(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = settings.model_copy(update={"integration_prefix": f"{settings.topic_prefix}."})
    alliances = installed_catalog(["partner_alliances"])
    await ensure_topics(own, alliances, kinds=OF_LOGS)
    monkeypatch.setattr("streams.broker.clients.AIOKafkaAdminClient", WithoutController)

    assert PARTNERS in await ensure_topics(own, alliances, kinds=OF_LOGS)
    with pytest.raises(Unavailable, match="RequestTimedOutError"):
        await ensure_topics(own, alliances, [PARTNERS], PUBLISHED)
