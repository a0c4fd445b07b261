"""Dead letters: how records are parked, what operators call them, and how resolutions change events."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from streams.log.stored_events import StoredEvent
from streams.subscriptions.dead_letters import DeadLetter, Parked, resolved
from streams.subscriptions.faults import Fault
from tests.unit.streams.subscriptions.fakes import CONTEXT, filled_log

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
async def events() -> list[StoredEvent]:
    return list(await (await filled_log(3)).read(0, 10))


def kept(parked: Parked) -> DeadLetter:
    """Returns a dead letter as it is read from the table."""
    row = {
        "id": 1, "subscription": "todo.tasks", "source": str(parked.context), "partition": parked.partition,
        "origin": parked.origin, "state": parked.state, "error": None, "traceback": None, "attempts": 0, "deaths": 0,
        "position": parked.event and parked.event.position, "stream": parked.event and parked.event.stream,
        "type": parked.event and parked.event.type, "parked_at": NOW, "due_at": None, "edited": None,
        "key": parked.key, "value": parked.value,
        "header_names": [name for name, _ in parked.headers], "header_values": [value for _, value in parked.headers],
    }  # fmt: skip
    return DeadLetter.of(row)


def test_an_event_is_kept_byte_for_byte(events: list[StoredEvent]) -> None:
    dead_letter = kept(Parked.of_event(CONTEXT, events[1], None))

    assert dead_letter.name == "todo.tasks/tasks@2"
    assert dead_letter.state == "waiting"
    again = dead_letter.stored_event()
    assert (again.position, again.stream, again.type) == (2, events[1].stream, events[1].type)


def test_an_event_that_failed_is_tried_again(events: list[StoredEvent]) -> None:
    assert Parked.of_event(CONTEXT, events[0], Fault.of(LookupError("why"))).state == "retrying"


def test_a_foreign_record_waits_for_an_operator() -> None:
    record = SimpleNamespace(topic="t", partition=1, offset=7, key=b"k", value=b"v", headers=())

    parked = Parked.of_record(CONTEXT, record, ValueError("foreign"))

    assert (parked.state, parked.event) == ("parked", None)
    assert kept(parked).name == "todo.tasks/t/1@7"


def test_edited_data_counts_instead_of_the_events_own(events: list[StoredEvent]) -> None:
    dead_letter = replace(kept(Parked.of_event(CONTEXT, events[0], None)), edited='{"a": 1}')

    assert dead_letter.stored_event().data == '{"a": 1}'


def test_resolutions_leave_events_out_or_give_them_other_data(events: list[StoredEvent]) -> None:
    assert resolved({}, CONTEXT, events) == events

    found = resolved({(CONTEXT, 1): None, (CONTEXT, 2): '{"a": 1}'}, CONTEXT, events)

    assert found == [events[1]._replace(data='{"a": 1}'), events[2]]
