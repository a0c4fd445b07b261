"""Timelines: which events are the log's after it went back, once, further, and less far."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.log.timelines import Timeline, Timelines

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def timelines(*began: tuple[int, int], pending: bool = False) -> Timelines:
    """Timelines by number and the position after which each began."""
    made = [Timeline(number, after, after + 100, NOON, NOON + timedelta(minutes=number)) for number, after in began]
    if pending:
        made[-1] = made[-1]._replace(accepted_at=None)
    return Timelines(tuple(made))


@pytest.mark.parametrize(
    ("began", "number", "position", "is_lost"),
    [
        ((), 1, 1000, False),
        ((), 2, 1, True),  # restored to a time before that timeline
        (((2, 50),), 1, 50, False),
        (((2, 50),), 1, 51, True),
        (((2, 50),), 2, 51, False),
        (((2, 50), (3, 70)), 2, 70, False),
        (((2, 50), (3, 70)), 2, 71, True),
        (((2, 50), (3, 70)), 1, 60, True),
        (((2, 50), (3, 30)), 1, 40, True),  # the second time it went back further
        (((2, 50), (3, 30)), 2, 60, True),
        (((3, 50),), 2, 10, True),
    ],
)
def test_an_event_is_lost_if_a_later_timeline_began_before_it(
    began: tuple[tuple[int, int], ...], number: int, position: int, is_lost: bool
) -> None:
    assert timelines(*began).is_lost(number, position) is is_lost


@pytest.mark.parametrize(("position", "number"), [(1, 1), (30, 1), (31, 3), (50, 3), (51, 3), (80, 3)])
def test_an_event_of_the_log_belongs_to_the_newest_timeline_that_began_before_it(position: int, number: int) -> None:
    assert timelines((2, 50), (3, 30)).of(position) == number


def test_no_event_of_the_log_is_lost_by_its_own_timeline() -> None:
    for found in (timelines(), timelines((2, 50)), timelines((2, 50), (3, 70)), timelines((2, 50), (3, 30))):
        assert not any(found.is_lost(found.of(position), position) for position in range(1, 200))


def test_a_timeline_waits_until_it_is_accepted() -> None:
    assert timelines((2, 50)).pending is None
    pending = timelines((2, 50), (3, 70), pending=True)
    assert pending.pending is not None
    assert pending.pending.number == pending.newest == 3
    assert pending.accepted == timelines((2, 50))
    assert [first for first, _, _ in pending.lost_positions()] == [51]


def test_heads_that_were_signed_for_lost_events_are_known() -> None:
    found = timelines((2, 50))

    assert found.has_lost_head(51, 1)
    assert not found.has_lost_head(50, 1)
    assert not found.has_lost_head(51, 2), "it is of a new event at that position"
    assert not found.has_lost_head(51, 3), "the log went back to before timeline 3 began, which nobody has accepted"
    assert not timelines((2, 50), pending=True).has_lost_head(51, 1), "nobody has accepted the loss"
