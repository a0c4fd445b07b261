"""The fair share: as many logs for each relay process as an even distribution gives it."""

import pytest

from schemas.system import ContextName
from streams.relay.fair_share import FairShare

LOGS = [ContextName("s", f"c{n}") for n in range(5)]


@pytest.mark.parametrize(("processes", "size"), [(1, 5), (2, 3), (3, 2), (5, 1), (9, 1)])
def test_a_process_takes_its_share_and_no_more(processes: int, size: int) -> None:
    share = FairShare(LOGS)

    assert [share.take(log, processes) for log in LOGS].count(True) == size


def test_a_log_that_is_held_stays_in_the_share() -> None:
    share = FairShare(LOGS)

    assert (share.take(LOGS[0], 5), share.take(LOGS[0], 5)) == (True, True)


def test_a_share_shrinks_when_another_process_arrives() -> None:
    share = FairShare(LOGS)
    for log in LOGS:
        share.take(log, 1)
    assert (share.is_exceeded(1), share.is_exceeded(2)) == (False, True)

    share.give_up(LOGS[0])
    share.give_up(LOGS[1])
    share.give_up(LOGS[1])

    assert not share.is_exceeded(2)
