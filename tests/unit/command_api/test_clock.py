"""The clock of the write side: the earlier of two clocks, whichever is ahead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from command_api.clock import Clock
from schemas.errors import Misconfigured, Unavailable
from streams.database.pools import Databases


class Postgres:
    """A database whose clock is off."""

    def __init__(self, ahead: timedelta, *, is_down: bool = False) -> None:
        self._ahead, self._is_down = ahead, is_down

    @asynccontextmanager
    async def connection(self, dsn: str) -> AsyncIterator["Postgres"]:
        assert dsn == "dsn"
        if self._is_down:
            raise Unavailable
        yield self

    async def fetchval(self, sql: str) -> datetime:
        assert sql == "select clock_timestamp()"
        return datetime.now(UTC) + self._ahead


async def difference(clock: Clock, ahead: timedelta) -> timedelta:
    await clock.compare(Postgres(ahead), "dsn")  # type: ignore[arg-type]
    return datetime.now(UTC) - clock.now()


async def test_a_clock_that_is_alone_is_its_own() -> None:
    assert abs(datetime.now(UTC) - Clock().now()) < timedelta(seconds=1)


async def test_if_this_clock_is_ahead_the_databases_counts() -> None:
    assert abs(await difference(Clock(), timedelta(days=-40)) - timedelta(days=40)) < timedelta(seconds=1)


async def test_if_the_databases_clock_is_ahead_this_one_counts() -> None:
    assert abs(await difference(Clock(), timedelta(days=40))) < timedelta(seconds=1)


async def test_a_clock_that_is_set_right_counts_at_once() -> None:
    clock = Clock()
    assert await difference(clock, timedelta(days=-40)) > timedelta(days=39)
    assert abs(await difference(clock, timedelta())) < timedelta(seconds=1)


async def test_what_is_known_of_the_database_outlasts_its_outage() -> None:
    clock = Clock()
    await difference(clock, timedelta(days=-40))
    with pytest.raises(Unavailable):
        await clock.compare(Postgres(timedelta(), is_down=True), "dsn")  # type: ignore[arg-type]
    assert datetime.now(UTC) - clock.now() > timedelta(days=39)


@pytest.mark.parametrize("error", [Unavailable(), Misconfigured("a right"), ZeroDivisionError("x")])
async def test_a_comparison_that_fails_first_does_not_end_the_others(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_api.clock._COMPARE_SECONDS", 0.01)
    clock, failing = Clock(), [error]

    async def compare(databases: Databases, dsn: str) -> None:
        if failing:
            raise failing.pop()
        done.set()

    done = asyncio.Event()
    monkeypatch.setattr(clock, "compare", compare)
    running = asyncio.create_task(clock.keep_compared(Postgres(timedelta()), "dsn"))  # type: ignore[arg-type]
    await asyncio.wait_for(done.wait(), 5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
