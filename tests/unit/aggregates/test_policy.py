"""Policies."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aggregates.policy import Policy
from aggregates.scenario import FIRST_ID, recorded
from schemas.data_ingestion.ingestion import DataIngested
from schemas.data_ingestion.processing import ProcessData
from schemas.envelope import RecordedEvent
from schemas.message import Command, Event


def test_a_policys_commands_have_the_same_ids_however_often_it_reacts() -> None:
    ingested = recorded(DataIngested(data_id=FIRST_ID, partner_id="acme", payload={}))
    ask: Mapping[type[Event], Callable[[RecordedEvent[Any]], Iterable[Command]]] = {
        DataIngested: lambda r: [ProcessData(data_id=r.data.data_id, partner_id="a", payload={})] * 2
    }

    first, again = Policy("one", ask).react(ingested), Policy("one", ask).react(ingested)
    other = Policy("two", ask).react(ingested)

    assert first == again
    assert len({id for id, _ in (*first, *other)}) == 4
