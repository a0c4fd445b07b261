"""Tells processes when their timers are due.

A timer's command has an id made of process, name and time, so that however many workers tell it, and however often, it is
handled once; a process that has cancelled or moved the timer lets it go. A process that is down when a timer is due is told
when it is up again: timers are in its log, not in anybody's memory.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid5

import structlog
from prometheus_client import Counter

from command_api.handling.handler import CommandHandler
from command_api.http.request import now
from schemas.engine.sagas import AdvanceSaga, Cause
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Conflict, Unavailable
from streams.log.timers import Timer, Timers

_log = structlog.get_logger()
_EVERY_SECONDS = 0.5
_BATCH_SIZE = 100
_TIMERS = UUID("0e6a4f2b-3d1f-5a54-9f0f-a9b5f3e0c1d7")

FIRED = Counter("caudal_timers_fired", "Timers of which a process was told.", ["process"])


class TimerClock:
    """Looks for timers that are due, and has the processes told."""

    def __init__(self, timers: Timers, handler: CommandHandler, kinds: Collection[str]) -> None:
        """``kinds`` are those processes that are installed here, by their names with their system's."""
        self._timers, self._handler, self._kinds = timers, handler, kinds

    async def run(self) -> None:
        """Runs until cancelled, through outages."""
        while True:
            try:
                await self.tell(now())
            except Unavailable as error:
                _log.debug("cannot look for timers", why=error.detail)
            await asyncio.sleep(_EVERY_SECONDS)

    async def tell(self, at: datetime) -> None:
        """Tells every process whose timers are due, once; raises `Unavailable`."""
        after, is_last = None, False
        while not is_last:  # one that cannot be told stays due, and keeps nobody behind it waiting
            timers, after = await self._timers.due(at, self._kinds, _BATCH_SIZE, after)
            await asyncio.gather(*map(self._tell, timers))
            is_last = after is None

    async def _tell(self, timer: Timer) -> None:
        id = uuid5(_TIMERS, f"{timer.saga_id}/{timer.name}/{timer.due.isoformat()}")
        cause = Cause(kind="timer", id=id, name=timer.name, at=timer.due)
        command = AdvanceSaga(process=timer.process, key=timer.about, cause=cause)
        try:
            receipt = await self._handler.handle(
                CommandEnvelope(data=command, id=id, at=now(), correlation_id=timer.correlation_id)
            )
        except (Conflict, Unavailable) as error:
            _log.debug("telling of a timer again soon", process=timer.process, why=error.detail)
        except CaudalError as error:
            _log.warning("cannot tell of a timer", process=timer.process, timer=timer.name, why=error.detail)
        else:
            if receipt.events and not receipt.repeated:
                FIRED.labels(timer.process).inc()
