"""Gap filling: the next events are returned, handled ones skipped, missing ones read from the log."""

from functools import partial
from uuid import uuid4

import pytest

from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.errors import Misconfigured
from schemas.expected_version import NO_STREAM
from schemas.system import ContextName
from streams.log.memory import MemoryLog
from streams.log.reading import Append, Write, partition_events
from streams.log.stored_events import StoredEvent, encode
from streams.subscriptions.gap_filling import DUPLICATES, GAP_FILLED, next_events

CONTEXT = ContextName("data_ingestion", "ingestion")


@pytest.fixture
async def log() -> MemoryLog:
    log = MemoryLog(CONTEXT, partitions=2)
    for n in range(40):
        id = uuid4()
        event = DataIngested(data_id=id, partner_id="p", payload={})
        metadata = Metadata(command_id=id, correlation_id="c")
        await log.append(
            [Append(command_id=id, fingerprint=b"", metadata=metadata, writes=(Write(f"s-{n}", NO_STREAM, (encode(event),)),))]
        )
    return log


async def of_partition(log: MemoryLog) -> list[StoredEvent]:
    return [row for row in await log.read(0, 100) if row.partition == 0]


def counts() -> tuple[float, float]:
    return tuple(counter.labels("s", str(CONTEXT))._value.get() for counter in (DUPLICATES, GAP_FILLED))


async def test_the_next_events_are_returned(log: MemoryLog) -> None:
    rows, before = await of_partition(log), counts()

    assert (await next_events("s", 0, rows[:5], log, 0)).events == rows[:5]
    assert (await next_events("s", rows[4].position, rows[5:9], log, 0)).events == rows[5:9]
    assert counts() == before


async def test_handled_events_are_skipped_and_counted(log: MemoryLog) -> None:
    rows, before = await of_partition(log), counts()

    assert (await next_events("s", rows[4].position, rows[2:7], log, 0)).events == rows[5:7]
    assert (await next_events("s", rows[-1].position, rows, log, 0)).events == []
    assert counts()[0] - before[0] == 3 + len(rows)


async def test_missing_events_are_read_from_the_log_and_counted(log: MemoryLog) -> None:
    rows, before = await of_partition(log), counts()

    assert (await next_events("s", rows[1].position, [rows[5], rows[9]], log, 0)).events == rows[2:10]
    assert counts()[1] - before[1] == 6


async def test_events_that_come_twice_and_late_are_returned_once_and_in_order(log: MemoryLog) -> None:
    rows = await of_partition(log)

    assert (await next_events("s", 0, [rows[0], rows[2], rows[1], rows[2], rows[0], rows[3]], log, 0)).events == rows[:4]


async def test_a_checkpoint_between_two_events_of_the_partition_continues_with_the_next(log: MemoryLog) -> None:
    rows = await of_partition(log)
    between = next(p for p in range(rows[0].position, rows[-1].position) if p not in {row.position for row in rows})
    following = [row for row in rows if row.position > between]

    assert (await next_events("s", between, following[:1], log, 0)).events == following[:1]


async def test_a_long_gap_is_filled_in_steps(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.subscriptions.gap_filling._MAX_BATCH_SIZE", 1)
    monkeypatch.setattr("streams.subscriptions.gap_filling.partition_events", partial(partition_events, limit=4))
    rows = await of_partition(log)

    first = await next_events("s", 0, [rows[-1]], log, 0)

    assert (first.events, first.is_complete) == (rows[:4], False)
    position, found = 0, []
    while True:
        part = await next_events("s", position, [rows[-1]], log, 0)
        found += part.events
        position = part.events[-1].position
        if part.is_complete:
            break
    assert found == rows


async def test_a_topic_of_another_log_is_not_followed(log: MemoryLog) -> None:
    rows = await of_partition(log)
    stranger = rows[-1]._replace(position=1000, previous=999)

    with pytest.raises(Misconfigured, match="no event 999"):
        await next_events("s", rows[-1].position, [stranger], log, 0)
