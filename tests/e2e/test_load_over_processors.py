"""Load over processors, in a short form of `make bench ARGS=images`: workers share images, and may die and be added."""

import pytest

from tests.scenarios.load_over_processors import ADDED, WORKERS, Load, Outcome, running_processors, shown

LOAD = Load(clients=75, seconds=10)


def assert_complete(outcome: Outcome) -> None:
    """Fails unless each request was accepted in time, and each image recorded once."""
    found = shown(outcome)
    assert not outcome.others, found
    assert outcome.in_time >= 0.999 * outcome.sent, found
    assert (outcome.recorded, outcome.lost, outcome.doubled) == (outcome.sent, 0, 0), found


@pytest.mark.alone
@pytest.mark.timeout(300)
async def test_workers_share_the_images_and_one_that_dies_or_comes_loses_none() -> None:
    async with running_processors() as processors:
        calm = await processors.under(LOAD)
        killed = await processors.under(LOAD, processors.kill_a_worker_and_a_command_api)
        added = await processors.under(LOAD, processors.add_a_worker)

    for outcome in (calm, killed, added):
        assert_complete(outcome)
    assert calm.after_last_answer < 10, shown(calm)
    assert calm.shares.keys() == set(WORKERS), shown(calm)
    assert all(0.15 <= share <= 0.55 for share in calm.shares.values()), shown(calm)
    assert all(busy < 0.75 for busy in calm.busy.values()), calm.busy
    assert killed.longest < 15, shown(killed)
    assert added.shares[ADDED] > 0, shown(added)
