"""The supervisor: starts processes, restarts those that die with a growing pause, and stops them in order."""

import asyncio
import ctypes
import os
import signal
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import structlog

from deploy.local.process import ProcessSpec
from schemas.errors import CaudalError, Unavailable

_log = structlog.get_logger()
_PR_SET_PDEATHSIG = 1
READY_SECONDS = 30.0
"""Seconds within which a process must be ready, if the caller names no other limit."""
STOP_SECONDS = 4.0
DEATHS, WITHIN_SECONDS = 5, 30.0
MAX_LOG_BYTES = 10 * 1024 * 1024
_PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0)


class CrashLoop(CaudalError):
    """A process dies again and again."""


class Supervised:
    """One process that the supervisor keeps running."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The id of the running process."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    async def start(self, ready_seconds: float = READY_SECONDS, needs: asyncio.Event | None = None) -> None:
        """Starts the process and returns when it is ready.

        The time to become ready counts from when ``needs`` is set: a process starts at once, and loads its code while the
        servers that it waits for are still starting. Raises `CrashLoop` if the process dies, `Unavailable` if it is not ready
        in time.
        """
        await self._spawn()
        await self._become_ready(ready_seconds, needs)

    async def keep(self) -> None:
        """Restarts the process each time it dies; raises `CrashLoop` after too many deaths in a short time."""
        while True:
            assert self.process is not None, "started first"
            code = await self.process.wait()
            if self._stopping:
                return
            self._deaths.append(time.monotonic())
            recent = [death for death in self._deaths if time.monotonic() - death < WITHIN_SECONDS]
            if len(recent) >= DEATHS:
                raise CrashLoop(self._last_lines(f"{self.spec.name} died {DEATHS} times within {WITHIN_SECONDS:g} s"))
            pause = _PAUSES[len(recent) - 1]
            self.restarts += 1
            _log.warning("process died, restarting", process=self.spec.name, code=code, seconds=pause)
            await asyncio.sleep(pause)
            await self._spawn()

    async def stop(self) -> None:
        """Asks the process to end, and kills it if it does not end in time."""
        self._stopping = True
        process = self.process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.spec.stop_signal)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            _log.warning("process not stopped in time, killing it", process=self.spec.name, seconds=STOP_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _spawn(self) -> None:
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        rotate(self.spec.log)
        with self.spec.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.spec.environment},
                cwd=self.spec.folder,
                start_new_session=True,  # the terminal's Ctrl-C is for the supervisor alone, which stops the others in order
                preexec_fn=_end_with_parent,
            )

    async def _become_ready(self, seconds: float, needs: asyncio.Event | None) -> None:
        give_up = None
        while not await self.spec.ready():
            if self.pid is None:
                raise CrashLoop(self._last_lines(f"{self.spec.name} died while it started"))
            if needs is None or needs.is_set():
                give_up = give_up or time.monotonic() + seconds
                if time.monotonic() > give_up:
                    raise Unavailable(self._last_lines(_too_slow(self.spec.name, seconds)))
            await asyncio.sleep(0.05)

    def _last_lines(self, what: str) -> str:
        lines = self.spec.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{what}; the last lines of {self.spec.log}:", *(f"    {line}" for line in lines)])


def rotate(log: Path) -> None:
    """Renames a log file that has grown large to ``….1``, in place of the one before."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def _too_slow(name: str, seconds: float) -> str:
    return (
        f"{name} was not ready within {seconds:g} s; on a slow or busy machine, "
        f"set a longer time, such as CAUDAL_READY_SECONDS={seconds * 4:g}"
    )


def _end_with_parent() -> None:
    # If the supervisor is killed, the kernel sends its processes SIGTERM too (Linux; elsewhere they notice by themselves).
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
