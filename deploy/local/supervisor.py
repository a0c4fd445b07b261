"""The supervisor: starts processes, restarts those that die with a growing pause, and stops them in order."""

import asyncio
import ctypes
import os
import signal
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from deploy.local.process import ProcessSpec
from schemas.errors import CaudalError, Unavailable

_log = structlog.get_logger()
_PR_SET_PDEATHSIG = 1
STOP_SECONDS = 4.0
DEATHS, WITHIN_SECONDS = 5, 45.0
MAX_LOG_BYTES = 10 * 1024 * 1024
_PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0)
_LOOK_SECONDS = 0.05


class CrashLoop(CaudalError):
    """A process dies again and again."""


@dataclass(frozen=True, slots=True)
class ReadyTimeout:
    """How long a process may take to become ready, counted from when the processes that it needs are ready."""

    seconds: float = 60.0
    """Seconds without progress: the reason why it is not ready does not change."""
    max_seconds: float = 600.0
    """Seconds in all."""


class Supervised:
    """One process that the supervisor keeps running."""

    def __init__(self, spec: ProcessSpec, timeout: ReadyTimeout = ReadyTimeout()) -> None:
        self.spec = spec
        self.process: asyncio.subprocess.Process | None = None
        self.restarts = 0
        self._timeout = timeout
        self._deaths: deque[float] = deque(maxlen=DEATHS)
        """Times at which it died although it had been ready."""
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The id of the running process."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    async def start(self, needs: asyncio.Event | None = None) -> None:
        """Starts the process and returns when it is ready.

        The time to become ready counts from when ``needs`` is set: a process starts at once, and loads its code while the
        servers that it waits for are still starting. Raises `CrashLoop` if the process dies, `Unavailable` if it is not ready
        in time.
        """
        await self._spawn()
        await self._become_ready(needs)

    async def keep(self) -> None:
        """Restarts the process each time it dies. Raises `CrashLoop` if it dies too often in a short time, or stays down.

        Only the deaths of a process that was ready count. One that dies while it starts again is started for as long as
        a process may take to become ready: what keeps it from starting may pass.
        """
        was_ready, down_since, failures = True, 0.0, 0
        while True:
            assert self.process is not None, "started first"
            code = await self.process.wait()
            if self._stopping:
                return
            now = time.monotonic()
            if was_ready:
                down_since, failures = now, 0
                pause = self._pause_after_death(now)
            else:
                failures += 1
                pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
            if now - down_since > self._timeout.max_seconds:
                raise CrashLoop(self._last_lines(_too_slow_again(self.spec.name, self._timeout.max_seconds)))
            self.restarts += 1
            _log.warning("process died, restarting", process=self.spec.name, code=code, seconds=pause)
            await asyncio.sleep(pause)
            await self._spawn()
            was_ready = await self._is_ready_before_it_ends()

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

    async def _become_ready(self, needs: asyncio.Event | None) -> None:
        failures, progress = 0, _Progress(self._timeout)
        while (why := await self.spec.why_not_ready()) is not None:
            if self.pid is None:
                if not self.spec.may_fail_to_start:
                    raise CrashLoop(self._last_lines(f"{self.spec.name} died while it started"))
                pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
                failures += 1
                _log.warning("process died while it started, starting it again", process=self.spec.name, seconds=pause)
                await asyncio.sleep(pause)
                await self._spawn()
            if needs is None or needs.is_set():
                progress.note((why, self._logged_bytes() if self.spec.logs_its_start and not failures else 0))
                if progress.is_over:
                    raise Unavailable(self._last_lines(progress.too_slow(self.spec.name, why)))
            await asyncio.sleep(_LOOK_SECONDS)

    async def _is_ready_before_it_ends(self) -> bool:
        while await self.spec.why_not_ready() is not None:
            if self.pid is None:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    def _pause_after_death(self, now: float) -> float:
        self._deaths.append(now)
        recent = [death for death in self._deaths if now - death < WITHIN_SECONDS]
        if len(recent) >= DEATHS:
            raise CrashLoop(self._last_lines(f"{self.spec.name} died {DEATHS} times within {WITHIN_SECONDS:g} s"))
        return _PAUSES[len(recent) - 1]

    def _logged_bytes(self) -> int:
        return self.spec.log.stat().st_size

    def _last_lines(self, what: str) -> str:
        lines = self.spec.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{what}; the last lines of {self.spec.log}:", *(f"    {line}" for line in lines)])


class _Progress:
    """The time that a process takes to become ready; it counts anew whenever what is noted differs from what was noted last."""

    def __init__(self, timeout: ReadyTimeout) -> None:
        self._timeout = timeout
        self._began: float | None = None
        self._changed = 0.0
        self._noted: object = None

    def note(self, state: object) -> None:
        """Notes the state of a process that has everything that it needs."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        if state != self._noted:
            self._noted, self._changed = state, now

    @property
    def is_over(self) -> bool:
        """Whether it took too long."""
        if self._began is None:
            return False
        now = time.monotonic()
        return now - self._changed > self._timeout.seconds or now - self._began > self._timeout.max_seconds

    def too_slow(self, name: str, why: str) -> str:
        """Returns the sentence that says so, with a hint."""
        assert self._began is not None, "noted first"
        seconds, setting, how = self._timeout.seconds, "CAUDAL_READY_SECONDS", "made no progress for"
        if time.monotonic() - self._began > self._timeout.max_seconds:
            seconds, setting, how = self._timeout.max_seconds, "CAUDAL_MAX_READY_SECONDS", "was not ready within"
        hint = f"on a slow or busy machine, set a longer time, such as {setting}={seconds * 4:g}"
        return f"{name} {how} {seconds:g} s: {why}; {hint}"


def rotate(log: Path) -> None:
    """Renames a log file that has grown large to ``….1``, in place of the one before."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def _too_slow_again(name: str, seconds: float) -> str:
    return (
        f"{name} died and could not be started again within {seconds:g} s; "
        "remove the cause that its log names, then run `caudal up` again: no data is lost"
    )


def _end_with_parent() -> None:
    # If the supervisor is killed, the kernel sends its processes SIGTERM too (Linux; elsewhere they notice by themselves).
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
