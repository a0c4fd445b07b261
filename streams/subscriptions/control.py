"""Control of a subscriber: obeys pause, resume and reset, retries and publishes its dead letters.

The states of a subscriber::

                 suspend() after failed deliveries, or paused by an operator
      running ──────────────────────────────────────────────────────────────▶ suspended: batches are dropped
         ▲                                                                         │
         │  the rest, under the turn                         not paused any more   ▼
         └──────────────────────────────────────────────────────────── catching up from the log

A reset (a new generation of its checkpoints) leads through the same path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import structlog
from prometheus_client import Gauge

from schemas.errors import CaudalError, DeadLettersFull, Unavailable
from schemas.system import ContextName
from streams.database.merged_reads import until_next
from streams.log.reading import ReadableLog, partition_events
from streams.subscriptions.checkpoints import ControlState
from streams.subscriptions.dead_letter_topic import DeadLetterTopic
from streams.subscriptions.subscriber import Batch, Subscriber
from streams.telemetry.retrying import raise_if_cancelled

_log = structlog.get_logger()
_INTERVAL_SECONDS = 1.0
_LONGEST_INTERVAL_SECONDS = 5.0
_CLOSE_EVENTS = 1000
"""How few events may be missing for the rest to be handled while new batches wait."""

OPEN = Gauge("caudal_dead_letters_open", "Dead letters that are not resolved.", ["subscription"])
PAUSED = Gauge("caudal_subscription_paused", "Whether an operator has paused the subscription.", ["subscription"])


class SubscriptionControl:
    """Controls one subscriber of this process."""

    def __init__(
        self,
        subscriber: Subscriber,
        logs: Mapping[ContextName, ReadableLog],
        topic: DeadLetterTopic,
        assigned: Callable[[], Iterable[tuple[ContextName, int]]],
    ) -> None:
        """``assigned`` returns the partitions that this process has now."""
        self._subscriber, self._logs, self._topic, self._assigned = subscriber, logs, topic, assigned
        self._state: ControlState | None = None
        self.turn = asyncio.Lock()
        """Held while the subscriber handles batches: new ones, or the last of those that it missed."""
        self.is_suspended = False
        """Whether batches are dropped. The subscriber reads their events from the log when it is resumed."""
        self.is_of_another_version = False
        """Whether this code follows other events than the version that migrated the database last, and so handles none."""

    async def run(self) -> None:
        """Runs until cancelled, through outages."""
        pause = _INTERVAL_SECONDS
        while True:
            raise_if_cancelled()
            await asyncio.sleep(until_next(pause))
            try:
                state = await self._control_state()
            except Unavailable:
                continue
            except Exception:
                _log.exception("subscription control failed", subscription=self._subscriber.name)
                continue
            # A duty that fails must not keep the others from being done.
            done = [await self._attempt(duty(state)) for duty in (self._retry, self._publish, self._obey)]
            pause = _INTERVAL_SECONDS if all(done) else min(2 * pause, _LONGEST_INTERVAL_SECONDS)

    def suspend(self) -> None:
        """Drops the subscriber's batches until it was brought up to date from the log: other subscribers must not wait."""
        _log.warning("subscription suspended", subscription=self._subscriber.name)
        self.is_suspended = True

    async def _control_state(self) -> ControlState:
        state = _combined(await asyncio.gather(*(store.checkpoints.control_state() for store in self._subscriber.stores)))
        self.is_of_another_version = state.followed is not None and state.followed != self._subscriber.events
        return replace(state, is_paused=True) if self.is_of_another_version else state

    async def _attempt(self, duty: Awaitable[None]) -> bool:
        """Runs a duty; returns whether it succeeded."""
        try:
            await duty
        except CaudalError as error:
            is_outage = isinstance(error, Unavailable) and not isinstance(error, DeadLettersFull)
            if is_outage:
                _log.debug("subscription control failed", subscription=self._subscriber.name, why=error.detail)
            else:
                _log.warning("subscription blocked", subscription=self._subscriber.name, why=error.detail)
        except Exception:
            _log.exception("subscription control failed", subscription=self._subscriber.name)
        else:
            return True
        return False

    async def _retry(self, state: ControlState) -> None:
        if state.open_dead_letters and not state.is_paused:
            await self._subscriber.retry()

    async def _publish(self, state: ControlState) -> None:
        if state.has_unpublished_dead_letters:
            for store in self._subscriber.stores:
                await self._topic.publish(store)

    async def _obey(self, state: ControlState) -> None:
        before = self._state or state
        PAUSED.labels(self._subscriber.name).set(state.is_paused)
        OPEN.labels(self._subscriber.name).set(state.open_dead_letters)
        if state.is_paused:
            if not self.is_suspended:
                why = "another version has migrated the database" if self.is_of_another_version else "an operator has paused it"
                _log.warning("subscription paused", subscription=self._subscriber.name, why=why)
            self.is_suspended = True
            # A reset during the pause is obeyed at its end.
            state = replace(state, generation=before.generation)
        elif self.is_suspended or state.generation != before.generation:
            self.is_suspended = True
            await self._catch_up(was_reset=state.generation != before.generation)
        self._state = state

    async def _catch_up(self, *, was_reset: bool) -> None:
        """Brings the subscriber to the end of its logs. Batches are dropped while that is far, and wait at the end."""
        if was_reset:
            for context in self._subscriber.contexts:
                for partition in range(len((await self._logs[context].head()).partitions)):
                    self._subscriber.invalidate(context, partition)
        while (missed := await self._handle_missed()) is not None and missed > _CLOSE_EVENTS:
            pass
        if missed is None:
            return
        async with self.turn:
            self.is_suspended = False
            try:
                self.is_suspended = await self._handle_missed() is None
            except BaseException:
                self.is_suspended = True
                raise
        if not self.is_suspended:
            _log.info("subscription resumed", subscription=self._subscriber.name)

    async def _handle_missed(self) -> int | None:
        """Handles what the logs hold beyond the checkpoints of this process's partitions.

        Returns how many events these were; ``None`` if an operator has paused the subscription meanwhile.
        """
        handled = 0
        for context, partition in sorted(self._assigned()):
            if context in self._subscriber.contexts:
                up_to = (await self._logs[context].head()).partitions[partition]
                position = await self._subscriber.position(context, partition)
                async for events in partition_events(self._logs[context], partition, position, up_to):
                    if (await self._control_state()).is_paused:
                        return None
                    await self._subscriber.handle([Batch(context, partition, events)])
                    handled += len(events)
        return handled


def _combined(states: Sequence[ControlState]) -> ControlState:
    """Returns the state of a subscription that is kept in several places."""
    return ControlState(
        is_paused=any(state.is_paused for state in states),
        generation=sum(state.generation for state in states),
        open_dead_letters=sum(state.open_dead_letters for state in states),
        has_unpublished_dead_letters=any(state.has_unpublished_dead_letters for state in states),
        followed=None
        if any(state.followed is None for state in states)
        else {context: events for state in states for context, events in (state.followed or {}).items()},
    )
