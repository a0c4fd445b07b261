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

    assert [made.apply_to(method, "/a") for method in ("POST", "PUT", "DELETE", "GET", "OPTIONS")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert limits(all="2/minute")[0].apply_to("OPTIONS", "/a")


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
        made.check_fits("POST", "/a", times)
    made.check_fits("POST", "/a", 60)
    assert counts == {}, "what is too large is not counted"


def test_a_batch_has_to_fit_the_limit_for_all_methods_too() -> None:
    made, _ = limits(all="30/hour")

    with pytest.raises(TooLarge, match="a batch of 31 commands never fits the rate limit of 30 requests in 3600 s"):
        made.check_fits("POST", "/a", 31)
    made.check_fits("POST", "/a", 30)


async def test_a_route_may_have_a_limit_of_its_own_beside_those_of_its_method() -> None:
    made, _ = limits(**{"POST /login": "2/minute", "POST": "3/minute"})

    headers = await made.spend("POST", "maria", "/login")
    assert headers[0] == (b"ratelimit-policy", b'"POST /login-60";q=2;w=60, "POST-60";q=3;w=60')
    await made.spend("POST", "maria", "/login")
    with pytest.raises(TooManyRequests, match="more than 2 requests in 60 s"):
        await made.spend("POST", "maria", "/login")
    await made.spend("POST", "maria", "/users", 3)
    with pytest.raises(TooManyRequests, match="more than 3 requests in 60 s"):
        await made.spend("POST", "maria", "/users")
    with pytest.raises(TooLarge, match="a batch of 3 commands never fits the rate limit of 2 requests in 60 s"):
        made.check_fits("POST", "/login", 3)


@pytest.mark.parametrize(
    ("method", "route", "is_counted"),
    [
        ("GET", "/query/partner/{partner_id:path}", True),
        ("HEAD", "/query/partner/{partner_id:path}", True),
        ("POST", "/query/partner/{partner_id:path}", False),
        ("GET", "/query/{data_id}", False),
        ("PUT", "/contratos/{id}", True),
        ("POST", "/contratos/{id}", False),
    ],
)
def test_a_route_is_named_as_the_openapi_documents_name_it(method: str, route: str, is_counted: bool) -> None:
    made, _ = limits(**{"GET /query/partner/{partner_id}": "2/minute", "PUT /contratos/{id}": "2/minute"})

    assert made.apply_to(method, route) is is_counted


@pytest.mark.parametrize("name", ["PUT", "post", "POST login", "TRACE /login", "POST /lo gin", 'POST /"'])
def test_a_limit_for_what_is_no_request_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=r"rate_limits\.(.|\n)*String should match pattern"):
        limits(**{name: "2/minute"})


def test_a_limit_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Misconfigured, match="'often' in CAUDAL_RATE_LIMITS is not a rate limit"):
        limits(POST="often")
