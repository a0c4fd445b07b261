"""Runs of operations in this process: each goes on after its request was answered, and is kept for a while after its end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import structlog

from command_api.composition import CommandIssuer
from deploy.operations.installation import OpenInstallation
from deploy.operations.journal import Journal
from deploy.operations.operation import Operation
from deploy.operations.run import Parameters
from deploy.operations.run_content import RunContent, RunRecorder
from schemas.errors import CaudalError, NotFound, Overloaded

_MAX_RUNNING = 20
_MAX_KEPT = 500
_log = structlog.get_logger()


class LiveRun:
    """A run, and what it said so far."""

    def __init__(self, content: RunContent, parameters: Parameters) -> None:
        self.content, self.parameters = content, parameters
        self.recorder = RunRecorder(content, self._change)
        self.task: asyncio.Task[None] | None = None
        self.error: CaudalError | None = None
        """Why it failed, if that is no fault of this process."""
        self._changed = asyncio.Event()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.content.state == "running"

    async def wait(self, seconds: float) -> None:
        """Waits until the run has ended, or for a while."""
        assert self.task is not None, "it was started"
        await asyncio.wait([self.task], timeout=seconds)

    async def changes(self) -> AsyncIterator[RunContent]:
        """Yields the content at each change, the last time when the run has ended."""
        while True:
            changed, was_running = self._changed, self.is_running
            yield self.content
            if not was_running:  # what changed since then is not sent yet
                return
            await changed.wait()

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Runs:
    """The runs of this process, by id."""

    def __init__(self, installation: OpenInstallation, issuer: CommandIssuer) -> None:
        self._installation, self._issuer = installation, issuer
        self._runs: dict[str, LiveRun] = {}

    def start(self, operation: Operation[Any], parameters: Parameters, actor: str, reason: str, *, apply: bool) -> LiveRun:
        """Starts a run, or one that is only tried; raises `Overloaded` if too many are running."""
        if sum(run.is_running for run in self._runs.values()) >= _MAX_RUNNING:
            raise Overloaded(f"{_MAX_RUNNING} operations are running: try again when one has ended")
        self._make_room()
        run = LiveRun(RunContent.new(operation, parameters, actor, reason, apply=apply), parameters)
        journal = Journal(self._issuer, actor, reason) if apply else None
        run.task = asyncio.create_task(self._run(run, operation, parameters, journal))
        self._runs[run.content.id] = run
        return run

    def of(self, id: str) -> LiveRun:
        """Returns a run by its id; raises `NotFound`."""
        if (run := self._runs.get(id)) is None:
            raise NotFound(f"this process has no run {id}; /api/operations/list has all that were recorded")
        return run

    async def close(self) -> None:
        """Interrupts what is running."""
        tasks = [run.task for run in self._runs.values() if run.task is not None and not run.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, run: LiveRun, operation: Operation[Any], parameters: Parameters, journal: Journal | None) -> None:
        try:
            run.recorder.end(await operation.run(UUID(run.content.id), parameters, self._installation, run.recorder, journal))
        except CaudalError as error:
            run.error = error
            run.recorder.fail(error.detail)
        except asyncio.CancelledError:
            run.recorder.fail("interrupted: the process ends")
            raise
        except Exception:
            _log.exception("operation failed", operation=operation.name, run=run.content.id)
            run.recorder.fail("the server failed; its log has the details")

    def _make_room(self) -> None:
        """Drops the runs that ended first, beyond those that are kept."""
        ended = [id for id, run in self._runs.items() if not run.is_running]
        for id in ended[: max(0, len(self._runs) - _MAX_KEPT + 1)]:
            del self._runs[id]
