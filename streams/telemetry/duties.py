"""Duties: the tasks that a process runs for as long as it lives.

A task group waits until all of its tasks have ended. If one has failed and another does not end, because a library has
swallowed its cancellation, the process would do a part of its work for ever. So the first failure is reported at once to the
caller that runs the process, however deep the groups are nested::

    serve ── reporting_failures ──▶ Worker.run ── Duties ──▶ Subscription.run ── Duties ──▶ a task fails
      ▲                                                                                        │
      └── not ready, ends in some seconds ◀────────────────── its error ───────────────────────┘
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_report: ContextVar[Callable[[Exception], None] | None] = ContextVar("report_failure", default=None)


@contextmanager
def reporting_failures(report: Callable[[Exception], None]) -> Iterator[None]:
    """Calls ``report`` with the error of each task that fails in a group of the tasks that the block creates."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)


class Duties(asyncio.TaskGroup):
    """A task group that reports the failure of a task before it waits for the others."""

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[T]:
        """Creates a task of the group."""
        return super().create_task(_reported(coro), name=name, context=context)


async def _reported(work: Coroutine[Any, Any, T]) -> T:
    try:
        return await work
    except Exception as error:
        if (report := _report.get()) is not None:
            report(error)
        raise
