"""Counters in the database, which all processes share: each counts within a window of time, and then begins again."""

import asyncio

from streams.database.store import Store


class _Round:
    """The requests of one key that one statement counts."""

    def __init__(self) -> None:
        self.times = 0
        self.done: asyncio.Future[tuple[int, float]] = asyncio.get_running_loop().create_future()


class Counters:
    """The counters. Requests that arrive while a key's statement is in flight share the next statement::

        request 1   ── statement 1: +1 ──>
        requests 2 to 9    wait ........  ── statement 2: +8 ──>  each gets its own count from the sum

    A flood of one caller's requests therefore costs few statements. The clock is that of the database. A window that ends
    later than a new one would was begun by a clock that was ahead, and is void.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next: dict[str, _Round] = {}
        self._counting: dict[str, asyncio.Task[None]] = {}

    async def add(self, key: str, times: int, seconds: float, extended_up_to: int = 0) -> tuple[int, float]:
        """Counts requests; returns the count including these, and the seconds until the window ends. Raises `Unavailable`.

        A window begins with the first request and lasts some seconds. Each request that finds a count below
        ``extended_up_to`` lets the window begin anew, with the same count.
        """
        mine = self._next.get(key)
        if mine is None:
            mine = self._next[key] = _Round()
        mine.times += times
        up_to = mine.times
        if key not in self._counting:
            self._counting[key] = asyncio.create_task(self._count(key, seconds, extended_up_to))
        count, left = await asyncio.shield(mine.done)
        return count - (mine.times - up_to), left

    async def take_back(self, key: str) -> None:
        """Counts one request less. Raises `Unavailable`."""
        await self._store.execute("limit_take_back", key)

    async def reset(self, key: str) -> None:
        """Drops the count. Raises `Unavailable`."""
        await self._store.execute("limit_reset", key)

    async def _count(self, key: str, seconds: float, extended_up_to: int) -> None:
        try:
            while (now := self._next.pop(key, None)) is not None:
                try:
                    row = await self._store.fetchrow("limit_spend", key, now.times, float(seconds), extended_up_to)
                    assert row is not None, "the statement returns the counter's row"
                    now.done.set_result((row["count"], row["seconds"]))
                except Exception as error:
                    now.done.set_exception(error)
        finally:
            del self._counting[key]
