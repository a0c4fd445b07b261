"""Bounded computations: work on somebody else's data runs in processes that are ended if it takes too much.

A client's schema or pattern may make a computation take hours, in code that no time-out interrupts. So it does not run in the
event loop, nor in a thread::

    run(f, x) ─▶ a process of the pool ─▶ f(x) within CPU_SECONDS of processor time and MEMORY_BYTES ─▶ result
                        └─ more of either, or a crash: the process is ended by the kernel, another takes its place ─▶ TooCostly

The limit is one of processor time, so that a busy machine fails nothing that an idle one completes.
"""

import asyncio
import multiprocessing
import resource
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError
from typing import ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from schemas.errors import TooCostly

P = ParamSpec("P")
R = TypeVar("R")
CPU_SECONDS = 2.0
MEMORY_BYTES = 2 * 1024**3
_PROCESSES = 2
_MAX_SECONDS = 60.0
"""A computation that waits, instead of computing, is ended after this time."""
_TASKS_OF_A_PROCESS = 10_000
"""Then it is replaced, so that what a library may leak does not add up."""


class BoundedProcesses:
    """A pool of processes for such work, started at its first use."""

    def __init__(self, processes: int = _PROCESSES, cpu_seconds: float = CPU_SECONDS) -> None:
        self._processes, self._cpu_seconds = processes, cpu_seconds
        self._pool: ProcessPool | None = None

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Returns what a function returns; raises what it raises, and `TooCostly` beyond the limits.

        The function is one of a module, and arguments and result can be pickled.
        """
        pool = self._started(function.__module__)
        future = pool.schedule(_limited, (self._cpu_seconds, function, args, kwargs), timeout=_MAX_SECONDS)
        try:
            return await asyncio.wrap_future(future)
        except (ProcessExpired, TimeoutError) as error:
            raise TooCostly(f"it takes more than {self._cpu_seconds:g} s of processor time, or too much memory") from error

    def close(self) -> None:
        """Ends the processes at once."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _started(self, module: str) -> ProcessPool:
        if self._pool is None:
            # Processes are copies of one that has loaded the module and has no connections and no threads.
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["__main__", module])
            self._pool = ProcessPool(self._processes, max_tasks=_TASKS_OF_A_PROCESS, initializer=_prepare, context=context)
        return self._pool


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the whole group: the owner ends this process
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))


def _limited(cpu_seconds: float, function: Callable[..., R], args: tuple[object, ...], kwargs: dict[str, object]) -> R:
    # The kernel ends the process by this signal: no Python code has to run for it.
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        return function(*args, **kwargs)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
