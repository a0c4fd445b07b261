"""The position of a topic: holes in what it holds, and offsets that go back."""

from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.system import ContextName
from streams.broker.publishing import Acknowledged
from streams.log.memory import MemoryLog
from streams.relay.topic_position import BehindTheLog, TopicPosition, unbroken_up_to


@pytest.mark.parametrize(
    ("held", "begin", "reached"),
    [
        ([], None, 0),
        ([], 0, 0),
        ([(1, 0), (4, 1), (5, 4)], 0, 5),
        ([(4, 1), (5, 4)], 0, 0),  # the topic has lost position 1
        ([(4, 1), (5, 4)], None, 5),  # its beginning is not looked at
        ([(1, 0), (4, 1), (9, 5)], 0, 4),
        ([(1, 0), (1, 0), (4, 1)], 0, 4),  # a repeated record changes nothing
        ([(1, 0), (4, 1), (9, 5), (12, 9)], 4, 4),
    ],
)
def test_events_count_up_to_the_first_hole(held: list[tuple[int, int]], begin: int | None, reached: int) -> None:
    assert unbroken_up_to(held, begin) == reached


class FakeConsumer:
    def __init__(self, end: int) -> None:
        self._end = end

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, self._end)


@pytest.fixture
def position() -> TopicPosition:
    log: Any = MemoryLog(ContextName("s", "c"))
    made = TopicPosition(log, "t", 100)
    made.note([Acknowledged(0, 5, 9, 5)])
    return made


def test_an_offset_that_goes_back_shows_a_loss(position: TopicPosition) -> None:
    position.note([Acknowledged(0, 10, 12, 8), Acknowledged(1, 0, 3, 9)])

    with pytest.raises(BehindTheLog, match="t went back to offset 12"):
        position.note([Acknowledged(0, 12, 14, 11)])


async def test_a_partition_that_ends_too_early_shows_a_loss(position: TopicPosition) -> None:
    whole: Any = FakeConsumer(10)
    cut: Any = FakeConsumer(9)

    await position.check(whole)
    with pytest.raises(BehindTheLog, match="t/0 ends at offset 9"):
        await position.check(cut)
