"""Loops that survive outages: a growing pause between attempts, and a job that runs every n seconds.

Each attempt that fails is one line of the log with its reason and the pause. Cancellation ends a loop, even if a library that
the loop calls has swallowed it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Never, TypeVar

import structlog

from schemas.errors import CaudalError, Conflict, Misconfigured, Unavailable

_log = structlog.get_logger()
R = TypeVar("R")

MAX_PAUSE_SECONDS = 5.0
"""The longest pause between two attempts, unless a loop has another."""


class Backoff:
    """The pauses between attempts: each is twice as long as the one before, until a success resets them."""

    def __init__(self, event: str, first_seconds: float = 0.1, max_seconds: float = MAX_PAUSE_SECONDS, **fields: Any) -> None:
        """A failed attempt is logged as ``event`` with ``fields``."""
        self._event, self._fields = event, fields
        self._first, self.max_seconds = first_seconds, max_seconds
        self._next = first_seconds

    def reset(self) -> None:
        """Starts over with the first pause."""
        self._next = self._first

    def reset_after(self, seconds: float) -> None:
        """Starts over if the attempt that failed had worked for longer than the longest pause."""
        if seconds > self.max_seconds:
            self.reset()

    async def wait(self, error: Exception, *, with_traceback: bool = False) -> None:
        """Logs why an attempt failed, and returns when the next one may begin."""
        pause, self._next = self._next, min(2 * self._next, self.max_seconds)
        traceback = {"exc_info": error} if with_traceback else {}
        _log.warning(self._event, **self._fields, **traceback, why=reason(error), seconds=pause)
        await asyncio.sleep(pause)


async def keep_running(work: Callable[[], Awaitable[None]], errors: tuple[type[Exception], ...], backoff: Backoff) -> Never:
    """Runs ``work`` again whenever it raises one of ``errors`` or returns, until cancelled; other errors are raised."""
    clock = asyncio.get_running_loop()
    while True:
        raise_if_cancelled()
        began = clock.time()
        try:
            await work()
            why: Exception = Unavailable("it ended")
        except errors as error:
            why = error
        backoff.reset_after(clock.time() - began)
        await backoff.wait(why)


async def until_done(work: Callable[[], Awaitable[R]], event: str) -> R:
    """Runs work until it raises no error of an outage; returns its result. Each failure is logged as ``event``."""
    backoff = Backoff(event)
    while True:
        raise_if_cancelled()
        try:
            return await work()
        except (Unavailable, Conflict, Misconfigured) as error:
            await backoff.wait(error)


async def every(seconds: float, job: Callable[[], Awaitable[None]], name: str, *, at_once: bool = False) -> Never:
    """Runs a job again and again, until cancelled. A failure does not end the loop.

    There is a pause of ``seconds`` before each run, with ``at_once`` not before the first.
    """
    pause = 0.0 if at_once else seconds
    while True:
        raise_if_cancelled()
        await asyncio.sleep(pause)
        pause = seconds
        try:
            await job()
        except Unavailable as error:
            _log.warning(f"{name} postponed", why=error.detail, seconds=seconds)
        except Exception:
            _log.exception(f"{name} failed", seconds=seconds)


def raise_if_cancelled() -> None:
    """Raises the cancellation of the current task again if a library has swallowed it.

    `asyncio.wait_for` (Python 3.11) does so if its result arrives together with the cancellation, and clients of aiokafka may
    while they stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def reason(error: BaseException) -> str:
    """Returns an error as one line: its detail or its text, or its representation if it has no text."""
    if isinstance(error, CaudalError):
        return error.detail
    return str(error).removeprefix(f"{type(error).__name__}: ") or repr(error)  # errors of aiokafka begin with their class
