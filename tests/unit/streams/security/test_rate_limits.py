"""Rate limits: which requests count against which, and what the answer says; counted for real in the integration tests."""

from dataclasses import dataclass
from typing import Any

import pytest

from schemas.errors import Misconfigured, TooLarge, TooManyRequests
from streams.database.pools import Databases
from streams.security.rate_limits import RateLimits
from streams.settings import Settings


@dataclass
class FakeCounters:
    """Counts in memory; every window ends in a minute."""

    counts: dict[str, int]

    async def add(self, key: str, times: int, seconds: int) -> tuple[int, float]:
        self.counts[key] = self.counts.get(key, 0) + times
        return self.counts[key], 60.0


def limits(**of: str) -> tuple[RateLimits, dict[str, int]]:
    settings: Any = {"rate_limits": of}
    made = RateLimits(Settings(**settings), Databases(None, 1))
    counts: dict[str, int] = {}
    made._counters = FakeCounters(counts)  # type: ignore[assignment]
    return made, counts


def test_methods_that_write_are_counted_as_post() -> None:
    made, _ = limits(POST="2/minute")

    assert [made.apply_to(method) for method in ("POST", "PUT", "DELETE", "GET", "OPTIONS")] == [True, True, True, False, False]
    assert limits(all="2/minute")[0].apply_to("OPTIONS")


async def test_a_caller_who_exceeds_a_limit_gets_the_time_of_its_next_try() -> None:
    made, _ = limits(POST="2/minute")
    assert (await made.spend("POST", "maria", "/a", 2))[1] == (b"ratelimit", b'"POST-60";r=0;t=60')
    await made.spend("POST", "maria", "/b")  # each route is counted on its own
    await made.spend("POST", "juan", "/a")

    with pytest.raises(TooManyRequests, match="more than 2 requests in 60 s") as raised:
        await made.spend("PUT", "maria", "/a")

    assert raised.value.retry_after == 60
    assert raised.value.headers[0] == (b"ratelimit-policy", b'"POST-60";q=2;w=60')


async def test_a_limit_for_all_methods_counts_every_route_together() -> None:
    made, counts = limits(all="3/hour")

    for method, route in (("GET", "/a"), ("POST", "/b")):
        await made.spend(method, "maria", route)

    assert list(counts.values()) == [2]


@pytest.mark.parametrize(("times", "why"), [(61, "60 requests in 60 s"), (200, "60 requests in 60 s")])
def test_a_batch_that_fits_no_window_is_too_large(times: int, why: str) -> None:
    made, counts = limits(POST="60/minute; 1000/hour", all="100/day")

    with pytest.raises(TooLarge, match=f"a batch of {times} commands never fits the rate limit of {why}"):
        made.check_fits("POST", times)
    made.check_fits("POST", 60)
    assert counts == {}, "what is too large is not counted"


def test_a_batch_has_to_fit_the_limit_for_all_methods_too() -> None:
    made, _ = limits(all="30/hour")

    with pytest.raises(TooLarge, match="a batch of 31 commands never fits the rate limit of 30 requests in 3600 s"):
        made.check_fits("POST", 31)
    made.check_fits("POST", 30)


def test_a_limit_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Misconfigured, match="'often' in CAUDAL_RATE_LIMITS is not a rate limit"):
        limits(POST="often")
