"""Provisioning: the topics that a deployment needs."""

from aiokafka.admin import NewTopic

from schemas.system import ContextName
from streams.broker.provisioning import _wanted
from streams.discovery import installed_catalog
from streams.settings import Settings

CATALOG = installed_catalog(["data_ingestion"])


def wanted(settings: Settings) -> dict[str, NewTopic]:
    found = (one.topic for context in CATALOG.contexts for one in _wanted(settings, CATALOG, context))
    return {topic.name: topic for topic in found}


def test_topics_have_their_logs_partitions_and_the_retention_of_the_settings() -> None:
    settings = Settings(topic_prefix="p", replication_factor=3, events_retention_hours=2, commands_retention_hours=-1)

    topics = wanted(settings)

    assert len(topics) == 4 * len(CATALOG.contexts)
    for context, declared in CATALOG.contexts.items():
        events, commands = topics[f"p.{context}.events"], topics[f"p.{context}.commands"]
        assert (events.num_partitions, commands.num_partitions) == (declared.partitions, declared.partitions)
        assert events.topic_configs["retention.ms"] == "7200000"
        assert commands.topic_configs["retention.ms"] == "-1"
        heads = topics[f"p.{context}.signed-heads"]
        assert (heads.num_partitions, heads.topic_configs) == (1, {"cleanup.policy": "compact"})
    assert {topic.replication_factor for topic in topics.values()} == {3}


def test_a_dead_letter_may_be_larger_than_the_record_that_it_was() -> None:
    settings = Settings(topic_prefix="p")

    topics = wanted(settings)

    for context in CATALOG.contexts:
        largest = int(topics[f"p.{context}.events"].topic_configs["max.message.bytes"])
        assert largest == settings.max_record_bytes
        assert int(topics[f"p.{context}.dead-letters"].topic_configs["max.message.bytes"]) > largest


def test_incoming_topics_are_another_teams_and_their_dead_letters_are_not() -> None:
    alliances = installed_catalog(["partner_alliances"])
    context = ContextName("partner_alliances", "integrations")

    topics = {one.topic.name: one for one in _wanted(Settings(topic_prefix="p"), alliances, context)}

    assert {name: (one.kind, one.is_anothers) for name, one in topics.items() if one.kind != "log"} == {
        "PartnerCreado": ("outgoing", False),
        "eventos-partners-general": ("outgoing", False),
        "comando-crear-partner": ("incoming", True),
        "comando-crear-partner.dead-letters": ("incoming", False),
    }
    assert topics["comando-crear-partner.dead-letters"].topic.topic_configs["retention.ms"] == "-1"
