"""Rate limits: the requests of one caller, counted over all processes together."""

import asyncio

import pytest

from schemas.errors import TooManyRequests, Unauthenticated
from streams.database.pools import Databases
from streams.security.rate_limits import RateLimits
from streams.security.sign_in_limits import SignInLimits
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


@pytest.mark.parametrize("ahead", ["1 hour 1 minute", "40 days"])
async def test_a_window_that_a_clock_that_was_ahead_began_is_void(
    limits: list[RateLimits], settings: Settings, databases: Databases, ahead: str
) -> None:
    assert await passed(*(limits[0].spend("POST", "ana", "/a") for _ in range(12))) == 10
    async with databases.connection(settings.write_dsn) as connection:
        await connection.execute(f"update caudal_limits.counters set expires_at = clock_timestamp() + interval '{ahead}'")

    assert await passed(*(limits[0].spend("POST", "ana", "/a") for _ in range(12))) == 10
    with pytest.raises(TooManyRequests) as raised:
        await limits[0].spend("POST", "ana", "/a")
    assert raised.value.retry_after <= 3600


async def sign_in(limits: SignInLimits, account: str, address: str = "192.0.2.1", *, is_right: bool = False) -> str:
    """Tries to sign in and returns the result."""

    async def check() -> None:
        await asyncio.sleep(0.01)
        if not is_right:
            raise Unauthenticated

    try:
        async with limits.attempt(account, address):
            await check()
    except Unauthenticated:
        return "wrong"
    except TooManyRequests as error:
        assert 295 < error.retry_after <= 300
        return "blocked"
    return "right"


@pytest.fixture
def sign_ins(settings: Settings, databases: Databases) -> list[SignInLimits]:
    """The limits on sign-ins in two processes."""
    return [SignInLimits(settings, databases) for _ in range(2)]


async def test_an_account_has_five_guesses_in_all_processes_also_at_once(sign_ins: list[SignInLimits]) -> None:
    results = await asyncio.gather(*(sign_in(sign_ins[n % 2], "ana", f"192.0.2.{n}") for n in range(20)))

    assert sorted(results) == ["blocked"] * 15 + ["wrong"] * 5
    assert await sign_in(sign_ins[0], "ana", is_right=True) == "blocked"
    assert await sign_in(sign_ins[0], "eva", is_right=True) == "right"


async def test_a_success_resets_the_count_of_the_account(sign_ins: list[SignInLimits]) -> None:
    for _ in range(3):
        assert [await sign_in(sign_ins[0], "ana") for _ in range(4)] == ["wrong"] * 4
        assert await sign_in(sign_ins[1], "ana", is_right=True) == "right"


async def test_the_block_lasts_from_the_last_failure_and_then_ends(
    sign_ins: list[SignInLimits], settings: Settings, databases: Databases
) -> None:
    async def pass_seconds(seconds: int) -> None:
        async with databases.connection(settings.write_dsn) as connection:
            earlier = f"expires_at = expires_at - interval '{seconds} s'"
            await connection.execute(f"update caudal_limits.counters set {earlier}")

    for _ in range(4):
        await sign_in(sign_ins[0], "ana")
    await pass_seconds(200)
    assert await sign_in(sign_ins[0], "ana") == "wrong"
    await pass_seconds(3)
    assert await sign_in(sign_ins[0], "ana", is_right=True) == "blocked", "200 s of the first window do not count"
    await pass_seconds(298)
    assert await sign_in(sign_ins[0], "ana", is_right=True) == "right"


async def test_failures_of_an_address_count_for_no_longer_than_the_window(
    sign_ins: list[SignInLimits], settings: Settings, databases: Databases
) -> None:
    for n in range(80):
        async with databases.connection(settings.write_dsn) as connection:
            await connection.execute("update caudal_limits.counters set expires_at = expires_at - interval '10 s'")
        assert await sign_in(sign_ins[0], f"user{n}") == "wrong", "thirty in 300 s"


async def test_an_address_that_guesses_at_many_accounts_is_blocked(sign_ins: list[SignInLimits]) -> None:
    results = [await sign_in(sign_ins[0], f"user{n}") for n in range(60)]

    assert results == ["wrong"] * 50 + ["blocked"] * 10
    assert await sign_in(sign_ins[0], "user1", "192.0.2.2", is_right=True) == "right"
