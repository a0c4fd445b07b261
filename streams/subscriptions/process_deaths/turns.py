"""Turns: the order in which one process handles batches, dead letters, commands and timers, and single suspects (ADR 0009)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Keeps everything else out while one event or command is handled alone. What waits begins in its order of arrival."""

    def __init__(self) -> None:
        self._entrance, self._noted = asyncio.Lock(), asyncio.Lock()
        self._in_flight = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Runs a block when nothing else is in flight, and lets nothing begin until it ends."""
        async with self._entrance:
            await self._is_idle.wait()
            yield

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Runs a block beside others, but not beside an event that is handled alone."""
        async with self._entrance:
            self._in_flight += 1
            self._is_idle.clear()
        try:
            yield
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._is_idle.set()

    @asynccontextmanager
    async def noted(self) -> AsyncIterator[None]:
        """Runs a block as `together` does, but beside no other block of this kind."""
        async with self._noted, self.together():
            yield
