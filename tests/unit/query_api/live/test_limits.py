"""The limit of open live views: of all callers together, and of each."""

from contextlib import ExitStack

import pytest

from query_api.live.limits import ConnectionLimit
from schemas.errors import TooManyRequests, Unavailable


def test_one_caller_may_have_a_tenth_of_all_live_views() -> None:
    limit = ConnectionLimit(20)
    with ExitStack() as connections:
        for name in ("ana", "ana", "eva"):
            connections.enter_context(limit.connected(name))
        with pytest.raises(TooManyRequests), limit.connected("ana"):
            pass


def test_there_is_a_limit_for_all_callers_and_a_closed_view_makes_room() -> None:
    limit = ConnectionLimit(20)
    with ExitStack() as connections:
        for n in range(20):
            connections.enter_context(limit.connected(str(n)))
        with pytest.raises(Unavailable), limit.connected("eva"):
            pass
    with limit.connected("eva"):
        pass
