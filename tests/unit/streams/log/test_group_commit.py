"""Group commit: which appends are sent together, which wait, and which fail together."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from schemas.envelope import Metadata, Receipt
from schemas.errors import Conflict, Unavailable
from schemas.expected_version import ANY_VERSION, ExpectedVersion
from schemas.system import ContextName
from streams.log.group_commit import OVERTAKING_COMMANDS, GroupCommit
from streams.log.memory import MemoryLog
from streams.log.reading import Append, Write
from streams.log.stored_events import EventData

MANY = 3 * OVERTAKING_COMMANDS


class WatchedLog(MemoryLog):
    """A log that records which batches are in flight at once, and completes them when a test says so."""

    def __init__(self) -> None:
        super().__init__(ContextName("bank", "accounts"))
        self.batches: list[list[str]] = []
        self.in_flight: list[set[str]] = []
        self.max_in_flight = 0
        self.open = asyncio.Event()
        self.open.set()
        self.gone = False

    async def append(self, appends: Sequence[Append]) -> Sequence[Receipt | Exception]:
        streams = {write.stream for append in appends for write in append.writes}
        assert all(streams.isdisjoint(other) for other in self.in_flight), "a stream is in two batches"
        self.batches.append([append.writes[0].stream for append in appends])
        self.in_flight.append(streams)
        self.max_in_flight = max(self.max_in_flight, len(self.in_flight))
        try:
            await self.open.wait()
            await asyncio.sleep(0.001)
            if self.gone:
                raise Unavailable("the database is gone")
            if any(event.data == "poison" for append in appends for write in append.writes for event in write.events):
                raise ValueError("this cannot be stored")
            return await super().append(appends)
        finally:
            self.in_flight.remove(streams)


def append(*streams: str, expected: ExpectedVersion = ANY_VERSION, data: str = "{}") -> Append:
    id = uuid4()
    event = EventData(str(uuid4()), "Happened", 1, data)
    writes = tuple(Write(stream, expected, (event,)) for stream in streams)
    return Append(id, id.bytes, Metadata(command_id=id, correlation_id="c"), writes)


async def test_two_batches_are_in_flight_at_once_and_share_no_stream() -> None:
    log = WatchedLog()
    commit = GroupCommit(log)

    async def client(number: int) -> list[int]:
        return [(await commit.append(append(f"s-{number}"))).version for _ in range(10)]

    versions = await asyncio.gather(*map(client, range(MANY)))

    assert versions == [list(range(1, 11))] * MANY
    assert log.max_in_flight == 2


async def test_commands_of_one_stream_keep_their_order_and_are_never_in_two_batches() -> None:
    log = WatchedLog()
    commit = GroupCommit(log)
    exact = [append("hot", expected=ExpectedVersion.exact(n)) for n in range(200)]
    others = [append(f"s-{n}") for n in range(200)]

    receipts = await asyncio.gather(*(commit.append(one) for pair in zip(exact, others, strict=True) for one in pair))

    assert [receipt.version for receipt in receipts[::2]] == list(range(1, 201))
    assert log.max_in_flight == 2


async def test_a_command_about_several_streams_is_not_overtaken_on_any_of_them() -> None:
    log = WatchedLog()
    commit = GroupCommit(log)
    log.open.clear()
    first = [asyncio.ensure_future(commit.append(append("a"))) for _ in range(1)]
    await asyncio.sleep(0.01)
    both = asyncio.ensure_future(commit.append(append("a", "b")))
    behind = asyncio.ensure_future(commit.append(append("b")))
    free = [asyncio.ensure_future(commit.append(append(f"s-{n}"))) for n in range(MANY)]
    await asyncio.sleep(0.01)
    log.open.set()

    await asyncio.gather(*first, both, behind, *free)

    assert (await behind).version == 2
    assert (await both).version == 2
    assert [row.stream for row in await log.read_stream("b")] == ["b", "b"]


async def test_an_append_that_relies_on_a_failed_one_is_not_sent_even_if_its_version_fits_by_chance() -> None:
    log = WatchedLog()
    evicted: list[str] = []
    commit = GroupCommit(log, evicted.extend)
    log.open.clear()
    failing = asyncio.ensure_future(commit.append(append("a", expected=ExpectedVersion.exact(5))))
    await asyncio.sleep(0.01)
    dependent = asyncio.ensure_future(commit.append(append("a", "b", expected=ExpectedVersion.exact(0))))
    on_top_of_that = asyncio.ensure_future(commit.append(append("b", expected=ExpectedVersion.exact(0))))
    independent = asyncio.ensure_future(commit.append(append("a")))
    await asyncio.sleep(0)
    log.open.set()

    with pytest.raises(Conflict, match="is at version 0"):
        await failing
    for one in (dependent, on_top_of_that):
        with pytest.raises(Conflict, match="depends on a stream or a command whose append failed"):
            await one
    assert (await independent).version == 1
    assert await log.version("b") == 0
    assert set(evicted) == {"a", "b"}


async def test_an_append_whose_caller_is_gone_fails_those_that_rely_on_it() -> None:
    log = WatchedLog()
    evicted: list[str] = []
    commit = GroupCommit(log, evicted.extend)
    log.open.clear()
    sent = asyncio.ensure_future(commit.append(append("z")))
    await asyncio.sleep(0.01)
    gone = asyncio.ensure_future(commit.append(append("a", expected=ExpectedVersion.exact(0))))
    dependent = asyncio.ensure_future(commit.append(append("a", expected=ExpectedVersion.exact(0))))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    log.open.set()

    await sent
    with pytest.raises(Conflict, match="depends on"):
        await dependent
    assert (await log.version("a"), evicted) == (0, ["a"])


async def test_a_command_that_cannot_be_stored_fails_only_with_the_decisions_that_depend_on_it() -> None:
    log = WatchedLog()
    commit = GroupCommit(log)
    poison = append("a", expected=ExpectedVersion.exact(0), data="poison")
    on_top = append("a", expected=ExpectedVersion.exact(0))  # as if another process had appended what fits by chance
    batch = [append("b"), poison, on_top, append("a", expected=ANY_VERSION), append("c")]

    answers = await asyncio.gather(*map(commit.append, batch), return_exceptions=True)

    assert [type(answer) for answer in answers] == [Receipt, ValueError, Conflict, Receipt, Receipt]


async def test_while_the_log_is_gone_every_caller_is_rejected_at_once() -> None:
    log = WatchedLog()
    commit = GroupCommit(log)
    log.gone = True

    answers = await asyncio.gather(*(commit.append(append(f"s-{n}")) for n in range(MANY)), return_exceptions=True)

    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert len(log.batches) <= 3
    log.gone = False
    assert (await commit.append(append("a"))).version == 1


async def test_a_caller_that_gives_up_is_not_appended_for_and_blocks_no_other() -> None:
    log = WatchedLog()
    commit = GroupCommit(log)
    log.open.clear()
    sent = asyncio.ensure_future(commit.append(append("a")))
    await asyncio.sleep(0.01)
    queued = asyncio.ensure_future(commit.append(append("a")))
    await asyncio.sleep(0)
    sent.cancel()
    queued.cancel()
    await asyncio.sleep(0.01)
    log.open.set()

    assert (await commit.append(append("a"))).version == 2, "what was sent is in the log, what was queued is not"
