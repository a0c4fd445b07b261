"""The contract suite of event logs, for authors of a log: order, expected versions, receipts, reading, snapshots.

Subclass `LogContract` in a test module, and give it your log::

    pytest.register_assert_rewrite("streams.testing.log_contract")  # in conftest.py: failures show values

    class TestMyLog(LogContract):
        @pytest.fixture
        async def log(self) -> AsyncIterator[AppendableLog]:
            yield MyLog(ContextName("data_ingestion", "ingestion"))  # a new log with four partitions, without events

It needs pytest and pytest-asyncio with ``asyncio_mode = "auto"``, which an installation for production does not have.
"""

import asyncio
import base64
import os
from itertools import chain
from uuid import UUID, uuid4

import pytest

from schemas.envelope import Metadata, Receipt, Rejection
from schemas.errors import Conflict, IdempotencyKeyReused, Invalid
from schemas.expected_version import ANY_VERSION, STREAM_EXISTS, ExpectedVersion
from schemas.message import Event
from streams.log.partitioning import partition_of
from streams.log.reading import MAX_READ_BYTES, Append, AppendableLog, Write, is_full, partition_events, stream_events
from streams.log.snapshots import Snapshot
from streams.log.stored_events import decode_metadata, encode


class Noted(Event):
    """The event that the suite records."""

    number: int
    text: str


def event(n: int = 0, text: str = "ñ \u2028 \U0001f600") -> Noted:
    return Noted(number=n, text=text)


def write(stream: str, expected: int | ExpectedVersion, events: int = 0, **content: str) -> Write:
    exact = expected if isinstance(expected, ExpectedVersion) else ExpectedVersion.exact(expected)
    return Write(stream, exact, tuple(encode(event(n, **content)) for n in range(events)))


def append(
    stream: str,
    expected: int | ExpectedVersion = 0,
    *,
    events: int = 1,
    id: UUID | None = None,
    mark: bytes = b"x",
    more: tuple[Write, ...] = (),
    **content: str,
) -> Append:
    command_id = id or uuid4()
    return Append(
        command_id=command_id,
        fingerprint=mark,
        metadata=Metadata(command_id=command_id, correlation_id="c", actor="ñ"),
        writes=(write(stream, expected, events, **content), *more),
    )


async def one(log: AppendableLog, wanted: Append) -> Receipt | Exception:
    (answer,) = await log.append([wanted])
    return answer


class LogContract:
    """The promises of every log, one test for each. A subclass has the fixture ``log``: a log without events."""

    async def test_appended_events_are_read_back(self, log: AppendableLog) -> None:
        command = append("a-1", events=2)

        receipt = await one(log, command)

        assert isinstance(receipt, Receipt)
        assert (receipt.version, receipt.position, receipt.events) == (2, 2, ("Noted", "Noted"))
        assert receipt.began_stream
        rows = await log.read_stream("a-1")
        assert [(row.position, row.version, row.type, row.schema_version) for row in rows] == [
            (1, 1, "Noted", 1),
            (2, 2, "Noted", 1),
        ]
        assert [Noted.model_validate_json(row.data) for row in rows] == [event(0), event(1)]
        assert decode_metadata(rows[0].metadata) == command.metadata
        assert rows[0].recorded_at.tzinfo is not None

    async def test_another_version_than_expected_is_a_conflict(self, log: AppendableLog) -> None:
        await one(log, append("a-1"))

        for expected in (0, 2):
            assert isinstance(await one(log, append("a-1", expected)), Conflict)

        assert (await log.head()).position == 1

    async def test_a_stream_can_be_expected_to_exist_at_any_version(self, log: AppendableLog) -> None:
        assert isinstance(await one(log, append("a-1", STREAM_EXISTS)), Conflict)
        await one(log, append("a-1", 0, events=2))

        found = await one(log, append("a-1", STREAM_EXISTS))

        assert isinstance(found, Receipt)
        assert (found.version, found.began_stream) == (3, False)

    @pytest.mark.parametrize("stream", ["a\nb", "a\x00b", "ñ" * 501])
    async def test_a_name_that_no_stream_can_have_is_invalid(self, log: AppendableLog, stream: str) -> None:
        with pytest.raises(Invalid):
            await log.append([append("a-1"), append(stream)])

        assert (await log.head()).position == 0

    async def test_nothing_need_be_expected(self, log: AppendableLog) -> None:
        answers = [await one(log, append("a-1", ANY_VERSION)) for _ in range(2)]

        assert [(a.version, a.began_stream) for a in answers if isinstance(a, Receipt)] == [(1, True), (2, False)]

    async def test_one_command_may_write_to_a_stream_in_turns(self, log: AppendableLog) -> None:
        turns = (write("b-1", 0, 1), write("a-1", ANY_VERSION, 2))

        receipt = await one(log, append("a-1", 0, events=1, more=turns))

        assert isinstance(receipt, Receipt)
        assert (receipt.version, receipt.position, receipt.began_stream) == (3, 4, True)
        assert await one(log, append("a-1", 0, events=1, more=turns, id=receipt.command_id)) == receipt
        assert [(row.stream, row.version) for row in await log.read(0, 9)] == [("a-1", 1), ("b-1", 1), ("a-1", 2), ("a-1", 3)]

    async def test_a_repeated_command_gets_its_first_receipt(self, log: AppendableLog) -> None:
        command = append("a-1")
        first = await one(log, command)
        await one(log, append("a-1", 1))

        again = await one(log, command)

        assert again == first
        assert isinstance(again, Receipt)
        assert again.repeated
        assert (await log.head()).position == 2

    async def test_a_used_id_is_rejected_to_another_command(self, log: AppendableLog) -> None:
        id = uuid4()
        await one(log, append("a-1", id=id, mark=b"x"))

        assert isinstance(await one(log, append("a-2", id=id, mark=b"y")), IdempotencyKeyReused)
        with pytest.raises(IdempotencyKeyReused):
            await log.receipt(id, b"y")
        receipt = await log.receipt(id, b"x")
        assert receipt is not None
        assert receipt.repeated
        assert await log.receipt(uuid4(), b"x") is None

    async def test_in_a_batch_later_commands_see_earlier_ones(self, log: AppendableLog) -> None:
        batch = [append("a-1"), append("a-1", 1, events=2), append("b-1"), append("a-1", 3)]

        answers = await log.append(batch)

        assert [answer.version for answer in answers if isinstance(answer, Receipt)] == [1, 3, 1, 4]
        assert [row.position for row in await log.read(0, 100)] == [1, 2, 3, 4, 5]

    async def test_a_decision_that_depends_on_a_failed_command_fails_even_if_the_version_fits(self, log: AppendableLog) -> None:
        known = append("b-1")
        await log.append([append("a-1"), known])

        batch = [
            append("a-1", 0),
            append("a-1", 1),
            append("c-1", more=(write("a-1", 1),)),
            append("d-1"),
            append("a-1", ANY_VERSION),
        ]
        answers = await log.append(batch)
        after_a_repeat = await log.append([known, append("b-1", 1)])

        assert [type(answer) for answer in answers] == [Conflict, Conflict, Conflict, Receipt, Receipt]
        assert [type(answer) for answer in after_a_repeat] == [Receipt, Conflict]
        assert (await log.head()).position == 4

    async def test_a_command_about_several_streams_is_all_or_none(self, log: AppendableLog) -> None:
        await one(log, append("b-1"))

        rejected = await one(log, append("a-1", more=(write("b-1", 0, 1),)))
        done = await one(log, append("a-1", more=(write("b-1", 1, 1), write("c-1", 0))))

        assert isinstance(rejected, Conflict)
        assert isinstance(done, Receipt)
        assert (done.stream, done.version, done.position, done.began_stream) == ("a-1", 1, 2, True)
        further = await one(log, append("b-1", 2, more=(write("d-1", 0, 1),)))
        assert isinstance(further, Receipt)
        assert (further.version, len(further.events), further.began_stream) == (3, 2, False)
        assert len(await log.read_stream("b-1")) == 3
        assert await log.read_stream("c-1") == []

    async def test_a_stream_that_is_only_checked_must_not_have_moved(self, log: AppendableLog) -> None:
        await one(log, append("rules-1"))

        assert isinstance(await one(log, append("a-1", more=(write("rules-1", 0),))), Conflict)
        assert isinstance(await one(log, append("a-1", more=(write("rules-1", 1),))), Receipt)

    async def test_a_rejection_leaves_a_receipt_and_no_event(self, log: AppendableLog) -> None:
        id = uuid4()
        rejected = Append(
            command_id=id,
            fingerprint=b"x",
            metadata=Metadata(command_id=id, correlation_id="c"),
            writes=(write("a-1", 0),),
            rejection=Rejection("rejected", "no", "c"),
        )

        receipt = await one(log, rejected)

        assert isinstance(receipt, Receipt)
        assert (receipt.rejection, receipt.events, receipt.position) == (rejected.rejection, (), 0)
        assert await one(log, rejected) == receipt
        assert set(await log.answers([id, uuid4()])) == {id}
        assert (await log.head()).position == 0

    async def test_each_row_names_its_predecessor_in_its_partition(self, log: AppendableLog) -> None:
        await log.append([append(f"s-{n}") for n in range(40)])

        rows = await log.read(0, 100)
        newest = [0, 0, 0, 0]
        for row in rows:
            assert row.partition == partition_of(row.stream, 4)
            assert row.previous == newest[row.partition]
            newest[row.partition] = row.position
        assert (await log.head()).partitions == tuple(newest)
        assert len({row.partition for row in rows}) == 4

    async def test_a_partition_is_read_in_chunks(self, log: AppendableLog) -> None:
        await log.append([append(f"s-{n}") for n in range(60)])
        everything = [row for row in await log.read(0, 100) if row.partition == 1 and 10 < row.position <= 50]

        chunks = [rows async for rows in partition_events(log, 1, 10, 50, limit=3)]

        assert [row for chunk in chunks for row in chunk] == everything
        assert all(len(chunk) <= 3 for chunk in chunks)

    async def test_large_events_are_read_a_few_at_a_time_and_none_is_left_out(self, log: AppendableLog) -> None:
        text = base64.b64encode(os.urandom(MAX_READ_BYTES // 4)).decode()  # cannot be compressed
        await log.append([append(f"s-{n}", text=text) for n in range(8)])
        await one(log, append("big-1", events=6, text=text))

        reads = [await log.read(after, 100) for after in (0, 5, 13)]
        chunks = [rows async for rows in stream_events(log, "big-1")]
        some = [rows async for rows in stream_events(log, "big-1", 1, 4)]
        partitions = [[rows async for rows in partition_events(log, n, 0, 14)] for n in range(4)]

        assert [[row.position for row in rows] for rows in reads] == [[1, 2, 3], [6, 7, 8], [14]]
        assert [is_full(rows, 100) for rows in reads] == [True, True, False]
        assert max(len(rows) for rows in (*chunks, *some, *chain(*partitions))) == 3
        assert [row.version for rows in chunks for row in rows] == [1, 2, 3, 4, 5, 6]
        assert [row.version for rows in some for row in rows] == [2, 3, 4, 5]
        assert sorted(row.position for rows in chain(*partitions) for row in rows) == list(range(1, 15))

    async def test_reads_begin_after_the_given_position(self, log: AppendableLog) -> None:
        await one(log, append("a-1", events=5))

        assert [row.version for row in await log.read_stream("a-1", 2)] == [3, 4, 5]
        assert [row.version for row in await log.read_stream("a-1", 2, 2)] == [3, 4]
        assert [row.position for row in await log.read(3, 1)] == [4]

    async def test_the_newest_snapshot_of_a_stream_is_kept_unless_it_is_ahead_of_it(self, log: AppendableLog) -> None:
        assert await log.snapshot("a-1") is None
        await log.keep_snapshot(Snapshot("a-1", 2, "1", "{}"))
        await one(log, append("a-1", events=1))
        assert await log.snapshot("a-1") is None

        await one(log, append("a-1", 1))
        newer = Snapshot("a-1", 2, "2", '{"n": 1}')
        await log.keep_snapshot(newer)

        assert await log.snapshot("a-1") == newer
        await log.keep_snapshot(Snapshot("a-1", 1, newer.state_schema, "{}"))
        assert await log.snapshot("a-1") == newer

    async def test_a_streams_version_can_be_asked_for(self, log: AppendableLog) -> None:
        await one(log, append("a-1", events=3))

        assert (await log.version("a-1"), await log.version("b-1")) == (3, 0)

    async def test_many_writers_leave_no_gap_and_no_double(self, log: AppendableLog) -> None:
        async def write(writer: int) -> None:
            version = 0
            for _ in range(20):
                answer = await one(log, append("hot-1", version))
                version = version + 1 if isinstance(answer, Receipt) else len(await log.read_stream("hot-1"))
                await one(log, append(f"own-{writer}-{uuid4()}"))

        await asyncio.gather(*(write(writer) for writer in range(8)))

        rows = await log.read(0, 1000)
        assert [row.position for row in rows] == list(range(1, len(rows) + 1))
        hot = await log.read_stream("hot-1")
        assert [row.version for row in hot] == list(range(1, len(hot) + 1))
