"""The timer clock: gives sagas their due timers as inputs.

A timer's command has an id that is derived from saga, name, time and the step that set it: if several workers fire it, or one
repeatedly, it is handled once, and a timer that is set again for the same time fires again. A saga ignores a timer that it has
cancelled or moved. Timers are kept beside the log, not in a process's memory: a timer that becomes due while no worker runs
fires when one is back.
"""

import asyncio
import time
from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid5

import structlog
from prometheus_client import Counter

from command_api.clock import now
from command_api.handling.handler import CommandHandler
from schemas.engine.sagas import AdvanceSaga, SagaInput, saga_of
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError, Conflict, Unavailable
from streams.commands.known_commands import KnownCommands
from streams.log.timers import Timer, Timers
from streams.subscriptions.process_deaths.turns import Turns
from streams.telemetry.retrying import Backoff, raise_if_cancelled

_log = structlog.get_logger()
_POLL_SECONDS = 0.5
_BATCH_SIZE = 100
_MAX_PAUSE_SECONDS = 60.0
_TIMERS = UUID("0e6a4f2b-3d1f-5a54-9f0f-a9b5f3e0c1d7")

FIRED = Counter("caudal_timers_fired", "Timers that were given to their sagas.", ["saga"])


def timer_command(timer: Timer, at: datetime) -> CommandEnvelope[AdvanceSaga]:
    """Returns the command that gives a saga its due timer."""
    id = uuid5(_TIMERS, f"{saga_of(timer.stream)}/{timer.name}/{timer.due_at.isoformat()}/{timer.version}")
    input = SagaInput(kind="timer", id=id, name=timer.name, at=timer.due_at)
    command = AdvanceSaga(saga=timer.saga, key=timer.key, input=input)
    return CommandEnvelope(data=command, id=id, at=at, correlation_id=timer.correlation_id)


class TimerClock:
    """Looks for due timers and fires them."""

    def __init__(
        self, timers: Timers, handler: CommandHandler, sagas: Collection[str], known: KnownCommands, turns: Turns
    ) -> None:
        """``sagas`` are the full names of the definitions that are installed here, ``known`` the commands of their context.

        ``turns`` are those of everything that the process handles.
        """
        self._timers, self._handler, self._sagas, self._known, self._turns = timers, handler, sagas, known, turns
        self._failing: dict[Timer, tuple[float, float]] = {}
        """The timers that raised: when each is tried again, by the monotonic clock, and the pause before that."""

    async def run(self) -> None:
        """Runs until cancelled, through outages and every other error."""
        backoff = Backoff("timers not read", first_seconds=_POLL_SECONDS, max_seconds=4 * _POLL_SECONDS)
        while True:
            raise_if_cancelled()
            try:
                await self.fire_due(now())
            except Exception as error:
                await backoff.wait(error, with_traceback=not isinstance(error, CaudalError))
            else:
                backoff.reset()
                await asyncio.sleep(_POLL_SECONDS)

    async def fire_due(self, at: datetime) -> None:
        """Fires every due timer once; raises `Unavailable`.

        One that cannot be fired stays due, and delays no other. If its saga's code raises, it is tried again after longer and
        longer pauses, at most a minute. Timers of a saga that the version which migrated last defines otherwise are left to it.
        """
        after, sagas = None, [saga for saga in self._sagas if not await self._known.knows_saga_otherwise(saga)]
        while due := await self._timers.due(at, sagas, _BATCH_SIZE, after):
            await asyncio.gather(*(self._fire(timer) for timer in due if self._is_to_be_tried(timer)))
            if len(due) < _BATCH_SIZE:
                return
            after = due[-1].place

    def _is_to_be_tried(self, timer: Timer) -> bool:
        return timer not in self._failing or self._failing[timer][0] <= time.monotonic()

    async def _fire(self, timer: Timer) -> None:
        try:
            async with self._turns.together():
                receipt = await self._handler.handle(timer_command(timer, now()))
        except (Conflict, Unavailable) as error:
            _log.debug("timer not fired yet", saga=timer.saga, error=error.detail)
        except CaudalError as error:
            _log.warning("timer not fired", saga=timer.saga, timer=timer.name, error=error.detail)
        except Exception:
            _, pause = self._failing.get(timer, (0.0, _POLL_SECONDS))
            self._failing[timer] = (time.monotonic() + pause, min(2 * pause, _MAX_PAUSE_SECONDS))
            _log.exception("timer not fired", saga=timer.saga, timer=timer.name, seconds=pause)
        else:
            self._failing.pop(timer, None)
            if receipt.events and not receipt.repeated:
                FIRED.labels(timer.saga).inc()
