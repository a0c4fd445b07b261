"""Work of a library in a task of its own, with time limits, so that no cancellation of the caller is lost.

aiokafka (0.14) swallows a cancellation that arrives while it closes, and `asyncio.wait_for` (Python 3.11) one that arrives
together with a result; the task that waits here cannot lose one::

    caller ──── asyncio.wait ────────────────────────▶ result, or CancelledError if the caller was cancelled meanwhile
                    │ task of its own                  │
                    └── client.start(), client.stop() ─┴── too late: the caller ends it, and its error is only logged
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import structlog
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from streams.telemetry.retrying import reason

_log = structlog.get_logger()
T = TypeVar("T")

_MAX_ABORT_SECONDS = 0.5
_left: set[asyncio.Task[Any]] = set()
"""Tasks that did not end in time, which the event loop itself would not keep."""


async def in_own_task(work: Coroutine[Any, Any, T], seconds: float, cancelled_seconds: float = 0.0) -> T:
    """Returns the result of work that is done in a task of its own; raises `KafkaTimeoutError` if it takes too long.

    A library that swallows the cancellation of the work cannot swallow that of the caller. If the caller is cancelled, the
    work has ``cancelled_seconds`` to come to its end before it is cancelled too.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    except asyncio.CancelledError:
        await _wait_through_cancellation([task], cancelled_seconds)
        task.cancel()
        await _wait_through_cancellation([task], _MAX_ABORT_SECONDS)
        _leave(task)
        raise
    if not task.done():
        task.cancel()
        _leave(task)
        raise KafkaTimeoutError(f"the broker has not answered within {seconds:g} s")
    if task.cancelled():  # by the library itself: the caller is not cancelled, and must not end as if it were
        raise KafkaConnectionError("the client was closed")
    return task.result()


async def stop_or_abort(stops: Mapping[Coroutine[Any, Any, None], Callable[[], None]], seconds: float) -> None:
    """Awaits stops for so long, then calls the function beside each that has not ended, and awaits it for half a second more.

    If the caller is cancelled meanwhile, the cancellation is raised at the end. Errors of the stops are only logged.
    """
    stopping = {asyncio.create_task(stop): abort_one for stop, abort_one in stops.items()}
    was_cancelled = await _wait_through_cancellation(stopping, seconds)
    for task, abort_one in stopping.items():
        if not task.done():
            abort_one()
    was_cancelled |= await _wait_through_cancellation(stopping, _MAX_ABORT_SECONDS)
    for task in stopping:
        _leave(task)
    if was_cancelled:
        raise asyncio.CancelledError


async def _wait_through_cancellation(tasks: Iterable[asyncio.Task[Any]], seconds: float) -> bool:
    """Waits for tasks, also while the caller is being cancelled; returns whether it was."""
    was_cancelled, clock = False, asyncio.get_running_loop()
    give_up = clock.time() + seconds
    while (pending := [task for task in tasks if not task.done()]) and (left := give_up - clock.time()) > 0:
        try:
            await asyncio.wait(pending, timeout=left)
        except asyncio.CancelledError:
            was_cancelled = True
    return was_cancelled


def _leave(task: asyncio.Task[Any]) -> None:
    """Keeps a task until it ends, and takes its error, which nobody else awaits."""

    def end(_: asyncio.Task[Any]) -> None:
        _left.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.debug("task ended with an error", why=reason(error))

    _left.add(task)
    task.add_done_callback(end)
