"""Names of topics."""

import pytest

from schemas.system import ContextName
from streams.broker.topic_names import Topics
from streams.discovery import installed_catalog
from streams.settings import Settings

INGESTION = ContextName("data_ingestion", "ingestion")
TOPICS = Topics(Settings(topic_prefix="p"), installed_catalog(["data_ingestion"]))


def test_a_context_has_four_topics() -> None:
    assert [name(INGESTION) for name in (TOPICS.events, TOPICS.commands, TOPICS.dead_letters, TOPICS.signed_heads)] == [
        "p.data_ingestion.ingestion.events",
        "p.data_ingestion.ingestion.commands",
        "p.data_ingestion.ingestion.dead-letters",
        "p.data_ingestion.ingestion.signed-heads",
    ]


def test_the_context_of_a_topic_of_events_or_commands_is_known() -> None:
    assert TOPICS.context_of(TOPICS.events(INGESTION)) == TOPICS.context_of(TOPICS.commands(INGESTION)) == INGESTION
    with pytest.raises(KeyError):
        TOPICS.context_of("p.another.topic.events")
