"""Kills of a stack's processes, one after another, and requests that survive them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.stack import PROCESSES, SERVICES
from tests.conftest import eventually
from tests.stack import RunningStack

LONG = 120
READY_SECONDS = 20
"""The longest pause between two kills while a process is not ready: on a slow machine too, the processes live in between."""
Headers = Mapping[str, str]


async def surely(stack: RunningStack, path: str, body: Mapping[str, Any], headers: Headers | None = None) -> dict[str, Any]:
    """Sends a command until it is accepted, and returns the body of the answer."""
    return dict((await accepted(stack, path, body, headers)).json())


async def accepted(stack: RunningStack, path: str, body: Mapping[str, Any], headers: Headers | None = None) -> httpx.Response:
    """Sends a command until it is accepted: under one key, so it is handled once."""
    keyed = {**(headers or {}), "Idempotency-Key": uuid4().hex}
    answer: httpx.Response | None = None

    async def is_accepted() -> bool:
        nonlocal answer
        with suppress(httpx.HTTPError):
            answer = await stack.commands.post(path, json=body, headers=keyed)
        return answer is not None and answer.status_code in (200, 201)

    try:
        await eventually(is_accepted, LONG, f"{path} accepted")
    except AssertionError:
        raise AssertionError(f"{path}: {answer and answer.text}") from None
    assert answer is not None
    return answer


@asynccontextmanager
async def killing(stack: RunningStack, processes: Sequence[str] = PROCESSES) -> AsyncIterator[Counter[str]]:
    """Kills processes meanwhile, one after another, each once at least; the next one soon after all are ready again.

    At the end it waits until all are ready.
    """
    kills: Counter[str] = Counter()

    async def kill() -> None:
        for name in cycle(processes):
            with suppress(AssertionError, ProcessLookupError):  # it has not come back yet
                stack.kill(name)
                kills[name] += 1
            await asyncio.sleep(1)
            await until_ready()
            await asyncio.sleep(1)

    async def are_ready() -> bool:
        return not any([await stack.why_not_ready(name) for name in SERVICES])

    async def until_ready() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while not await are_ready():
                    await asyncio.sleep(0.1)

    async def each() -> bool:
        return set(kills) == set(processes)

    task = asyncio.create_task(kill())
    try:
        yield kills
        await eventually(each, LONG, "a kill of each process")
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await eventually(are_ready, LONG, "the stack's recovery")
