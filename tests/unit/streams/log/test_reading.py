"""Reading: names of streams, and a partition in chunks."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.errors import Invalid
from schemas.expected_version import ANY_VERSION
from schemas.system import ContextName
from streams.log.memory import MemoryLog
from streams.log.reading import MAX_STREAM_BYTES, Append, Write, checked, partition_events
from streams.log.stored_events import StoredEvent, encode


@pytest.mark.parametrize("stream", ["a\nb", "a\x00b", "ñ" * 501])
def test_a_name_that_is_not_one_short_line_is_rejected(stream: str) -> None:
    with pytest.raises(Invalid, match="is not one line of at most 1000 bytes"):
        checked(stream)


def test_a_name_may_have_so_many_bytes() -> None:
    assert checked("ñ" * (MAX_STREAM_BYTES // 2)) == "ñ" * 500


async def test_a_partition_is_read_in_chunks_up_to_a_position() -> None:
    log = MemoryLog(ContextName("data_ingestion", "ingestion"))
    event = DataIngested(data_id=UUID(int=1), partner_id="p", payload={})
    for n in range(7):
        writes = (Write("s", ANY_VERSION, (encode(event),)),)
        await log.append([Append(UUID(int=n), b"", Metadata(command_id=UUID(int=n), correlation_id="c"), writes)])
    ((partition, _),) = [(n, position) for n, position in enumerate((await log.head()).partitions) if position]

    chunks = [[row.position for row in rows] async for rows in partition_events(log, partition, 1, 6, limit=2)]

    assert chunks == [[2, 3], [4, 5], [6]]


async def test_each_read_looks_at_a_bounded_number_of_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Sparse(MemoryLog):
        async def read_partition(self, partition: int, after: int, up_to: int, limit: int) -> Sequence[StoredEvent]:
            asked.append((after, up_to))
            return await super().read_partition(partition, after, up_to, limit)

    monkeypatch.setattr("streams.log.reading._POSITIONS_PER_READ", 10)

    chunks = [rows async for rows in partition_events(Sparse(ContextName("a", "b")), 0, 5, 32)]

    assert (chunks, asked) == ([], [(5, 15), (15, 25), (25, 32)])
