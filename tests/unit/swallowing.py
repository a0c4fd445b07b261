"""Cancellations that are lost on their way, as libraries lose them."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

_sleep = asyncio.sleep


async def is_never_lost(run: Callable[[], Awaitable[None]], monkeypatch: pytest.MonkeyPatch, rounds: int = 200) -> bool:
    """Cancels ``run`` after a random number of steps, again and again; returns whether it has always ended.

    Each sleep swallows a cancellation, as `asyncio.wait_for` (Python 3.11) does if its result arrives together with it.
    """
    chance = random.Random(1)

    async def swallowing(_: float) -> None:
        with suppress(asyncio.CancelledError):
            await _sleep(0)

    async def running() -> None:
        await run()

    monkeypatch.setattr(asyncio, "sleep", swallowing)
    for _ in range(rounds):
        task = asyncio.create_task(running())
        for _ in range(chance.randrange(30)):
            await _sleep(0)
        was_running = task.cancel()
        await asyncio.wait([task], timeout=1)
        if task.cancelled() is not was_running:
            return False
    return True
