"""Integrity between services, in a short form of `make bench ARGS=images`."""

import pytest

from tests.scenarios.integrity_between_services import end_sagas

SAGAS, SIDE_BY_SIDE = 60, 16


@pytest.mark.timeout(300)
async def test_every_saga_ends_consistently_on_both_sides_and_is_in_the_log() -> None:
    ended = await end_sagas(SAGAS, SIDE_BY_SIDE)

    assert ended.keys() == {"completed", "failed"}
    assert 0.2 * SAGAS < ended["failed"] < 0.7 * SAGAS, "two steps of which a quarter fails: 44 % on average"
