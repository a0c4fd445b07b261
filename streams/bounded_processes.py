"""Bounded computations: work on somebody else's data runs in processes that are ended if it takes too much.

A client's schema or pattern may make a computation take hours, in code that no time-out interrupts. So it does not run in the
event loop, nor in a thread::

    run(work, f, x) ─▶ a turn ─▶ a process ─▶ f(x) within CPU_SECONDS of processor time and MEMORY_BYTES ─▶ result
                                    └─ more of either, or a crash: the kernel ends it, another takes its place ─▶ TooCostly

The limit is one of processor time, so that a busy machine fails nothing that an idle one completes.

A client's costly work delays itself: clients take turns, and each has one process at a time. If several computations of one
origin, such as one schema, were ended within a minute, others are rejected without a process until the minute is over.
"""

import asyncio
import multiprocessing
import resource
import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import TimeoutError
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple, ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from schemas.errors import CostlyBefore, TooCostly
from streams.security.fair_turns import FairTurns

P = ParamSpec("P")
R = TypeVar("R")
CPU_SECONDS = 2.0
MEMORY_BYTES = 2 * 1024**3
_PROCESSES = 2
_PLACES = 2_000
"""Computations of one purpose that wait; further ones take places of the client that has most, or are rejected."""
MAX_ENDED, ENDED_SECONDS = 3, 60.0
"""So many computations of one cause are ended within so many seconds; then others are rejected without a process."""
_MAX_ATTEMPTS = 3
"""Pools in which a computation is tried: a pool breaks if a process of it dies that seems to do nothing."""
_MAX_SECONDS = 60.0
"""A computation that waits, instead of computing, is ended after this time."""
_TASKS_OF_A_PROCESS = 10_000
"""Then it is replaced, so that what a library may leak does not add up."""


class Work(NamedTuple):
    """The origin of a computation."""

    purpose: str
    client: str
    """The client whose data is computed on, and whose other computations wait for this one."""
    cause: str = ""
    """Source of the cost beside the client, such as the revision of its schema."""


class BoundedProcesses:
    """A pool of processes for such work, started at its first use."""

    def __init__(
        self, processes: int = _PROCESSES, cpu_seconds: float = CPU_SECONDS, ended_seconds: float = ENDED_SECONDS
    ) -> None:
        self._processes, self._cpu_seconds = processes, cpu_seconds
        self._pool: ProcessPool | None = None
        self._turns = FairTurns(processes, _PLACES, at_once_of_group=1)
        self._ended = _Ended(ended_seconds)

    async def run(self, work: Work, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Returns what a function returns; raises what it raises, and `TooCostly` beyond the limits.

        Also raises `CostlyBefore`, without a computation, if `MAX_ENDED` of the same origin were ended lately, and
        `Unavailable` if too many wait. The function is one of a module, and arguments and result can be pickled.
        """
        async with self._turns.turn(work.purpose, work.client):
            if self._ended.count(work) >= MAX_ENDED:
                raise CostlyBefore(f"{MAX_ENDED} computations of this origin took too long: try again in a minute")
            return await self._computed(work, function, *args, **kwargs)

    async def _computed(self, work: Work, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        cause: Exception | None = None
        for _ in range(_MAX_ATTEMPTS):
            try:
                pool = self._started(function.__module__)
                future = pool.schedule(_limited, (self._cpu_seconds, function, args, kwargs), timeout=_MAX_SECONDS)
                return await asyncio.wrap_future(future)
            except (ProcessExpired, TimeoutError) as error:
                cause = error
                break
            except BrokenProcessPool as error:
                cause = error  # a process died that the pool believed to be idle: this computation may be innocent
        self._ended.add(work)
        raise TooCostly(f"it takes more than {self._cpu_seconds:g} s of processor time, or too much memory") from cause

    def close(self) -> None:
        """Ends the processes at once."""
        pool, self._pool = self._pool, None
        if pool is not None:
            _end(pool)

    def _started(self, module: str) -> ProcessPool:
        if self._pool is not None and not self._pool.active:
            asyncio.get_running_loop().run_in_executor(None, _end, self._pool)
            self._pool = None
        if self._pool is None:
            # Processes are copies of one that has loaded the module and has no connections and no threads.
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(["__main__", module])
            self._pool = ProcessPool(self._processes, max_tasks=_TASKS_OF_A_PROCESS, initializer=_prepare, context=context)
        return self._pool


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


class _Ended:
    """The computations that were ended lately, by their origin."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: defaultdict[Work, deque[float]] = defaultdict(deque)

    def add(self, work: Work) -> None:
        """Notes that a computation was ended now."""
        self._times[work].append(time.monotonic())
        for other in list(self._times):
            self.count(other)  # so that those of long ago take no memory

    def count(self, work: Work) -> int:
        """Returns how many computations of an origin were ended lately."""
        times = self._times.get(work)
        if times is None:
            return 0
        while times and times[0] < time.monotonic() - self._seconds:
            times.popleft()
        if not times:
            del self._times[work]
        return len(times)


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
