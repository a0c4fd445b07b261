"""The supervisor: starts processes, keeps them running with back-off, and stops them in order."""

import asyncio
import ctypes
import os
import signal
import time
from collections import deque
from contextlib import suppress

import structlog

from deploy.local.process import ProcessSpec
from schemas.errors import CaudalError, Unavailable

_log = structlog.get_logger()
_PR_SET_PDEATHSIG = 1
READY_SECONDS = 30.0
STOP_SECONDS = 4.0
DEATHS, WITHIN_SECONDS = 5, 30.0
_PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0)


class KeepsDying(CaudalError):
    """A process dies again and again."""


class Supervised:
    """One process that is to run."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The running process's id."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    async def start(self) -> None:
        """Starts the process and returns when it is ready; raises `KeepsDying` or `Unavailable`."""
        await self._spawn()
        await self._become_ready()

    async def keep(self) -> None:
        """Starts the process again whenever it dies; raises `KeepsDying` after too many deaths in a short time."""
        while True:
            assert self.process is not None, "started first"
            code = await self.process.wait()
            if self._stopping:
                return
            self._deaths.append(time.monotonic())
            recent = [death for death in self._deaths if time.monotonic() - death < WITHIN_SECONDS]
            if len(recent) >= DEATHS:
                raise KeepsDying(self._last_words(f"{self.spec.name} died {DEATHS} times within {WITHIN_SECONDS:g} s"))
            pause = _PAUSES[len(recent) - 1]
            self.restarts += 1
            _log.warning("a process died, starting it again", process=self.spec.name, code=code, seconds=pause)
            await asyncio.sleep(pause)
            await self._spawn()

    async def stop(self) -> None:
        """Asks the process to leave, and makes it leave when it does not in time."""
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
            _log.warning("a process did not stop in time, killing it", process=self.spec.name)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _spawn(self) -> None:
        self.spec.log.parent.mkdir(parents=True, exist_ok=True)
        with self.spec.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.spec.environment},
                cwd="/",
                start_new_session=True,  # the terminal's Ctrl-C is for the supervisor, which stops in order
                preexec_fn=_die_with_parent,
            )

    async def _become_ready(self) -> None:
        give_up = time.monotonic() + READY_SECONDS
        while not await self.spec.ready():
            if self.pid is None:
                raise KeepsDying(self._last_words(f"{self.spec.name} died while it started"))
            if time.monotonic() > give_up:
                raise Unavailable(self._last_words(f"{self.spec.name} was not ready within {READY_SECONDS:g} s"))
            await asyncio.sleep(0.05)

    def _last_words(self, what: str) -> str:
        lines = self.spec.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{what}; the last lines of {self.spec.log}:", *(f"    {line}" for line in lines)])


def _die_with_parent() -> None:
    # Should the supervisor be killed outright, its processes are told to stop too (Linux; elsewhere they stay).
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
