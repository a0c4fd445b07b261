"""Rate limits: the requests of one caller, counted over all processes together."""

import asyncio

import pytest

from schemas.errors import TooManyRequests
from streams.database.pools import Databases
from streams.security.rate_limits import RateLimits
from streams.settings import Settings

LIMITS = {"POST": "10/hour", "GET": "3/hour; 5/day", "all": "14/hour"}


@pytest.fixture
async def limits(settings: Settings, databases: Databases) -> list[RateLimits]:
    """The limits in two processes."""
    settings = settings.model_copy(update={"rate_limits": LIMITS})
    return [RateLimits(settings, databases) for _ in range(2)]


async def passed(*asking: object) -> int:
    """Returns how many of some requests were accepted."""
    answers = await asyncio.gather(*asking, return_exceptions=True)  # type: ignore[call-overload]
    assert all(isinstance(answer, list | TooManyRequests) for answer in answers), answers
    return sum(isinstance(answer, list) for answer in answers)


async def test_two_processes_accept_no_more_than_one(limits: list[RateLimits]) -> None:
    assert await passed(*(limits[n % 2].spend("POST", "ana", "/a") for n in range(30))) == 10
    assert await passed(limits[0].spend("POST", "eva", "/a")) == 1


async def test_each_route_has_a_limit_and_all_routes_together_have_one(limits: list[RateLimits]) -> None:
    assert await passed(*(limits[0].spend("POST", "ana", f"/{n % 7}") for n in range(20))) == 14
    assert await passed(limits[1].spend("GET", "ana", "/a")) == 0
    assert await passed(limits[1].spend("GET", "eva", "/a")) == 1


async def test_methods_that_write_count_as_post_and_methods_that_read_as_get(limits: list[RateLimits]) -> None:
    writing = [limits[0].spend(method, "ana", "/a") for method in ("POST", "PUT", "PATCH", "DELETE") * 3]
    assert await passed(*writing) == 10
    assert await passed(*(limits[0].spend(method, "eva", "/a") for method in ("GET", "HEAD") * 3)) == 3


async def test_a_batch_counts_as_its_lines(limits: list[RateLimits]) -> None:
    assert await passed(limits[0].spend("POST", "ana", "/a", 7)) == 1
    assert await passed(limits[0].spend("POST", "ana", "/a", 4)) == 0


async def test_a_flood_is_counted_with_few_statements(
    limits: list[RateLimits], settings: Settings, databases: Databases
) -> None:
    async def written() -> int:
        async with databases.connection(settings.write_dsn) as connection:
            await connection.execute("select pg_stat_force_next_flush()")
            return int(
                await connection.fetchval("select n_tup_ins + n_tup_upd from pg_stat_user_tables where relname = 'counters'")
            )

    assert await passed(*(limits[0].spend("POST", "ana", "/a") for _ in range(500))) == 10
    async with asyncio.timeout(10):
        while await written() == 0:
            await asyncio.sleep(0.1)
    assert await written() < 30


async def test_an_answer_names_each_limit(limits: list[RateLimits]) -> None:
    headers = dict(await limits[0].spend("GET", "ana", "/a"))

    policies = '"GET-3600";q=3;w=3600, "GET-86400";q=5;w=86400, "all-3600";q=14;w=3600'
    assert headers[b"ratelimit-policy"].decode() == policies
    assert headers[b"ratelimit"].decode().startswith('"GET-3600";r=2;t=')
    with pytest.raises(TooManyRequests) as raised:
        for _ in range(3):
            await limits[0].spend("GET", "ana", "/a")
    assert 3000 < raised.value.retry_after <= 3600
