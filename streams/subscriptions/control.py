"""Attendance: does what operators say of a subscriber, tries its dead letters again, and publishes them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import structlog
from prometheus_client import Gauge

from schemas.catalog import ContextName
from schemas.errors import CaudalError, DeadLettersFull, Unavailable
from streams.log.reading import ReadableLog, partition_events
from streams.subscriptions.checkpoints import Control
from streams.subscriptions.dead_letter_topic import DeadLetterTopic
from streams.subscriptions.subscriber import Batch, Subscriber

_log = structlog.get_logger()
_EVERY_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
_CLOSE = 1000

OPEN = Gauge("caudal_dead_letters_open", "Dead letters that are not dealt with.", ["subscription"])
PAUSED = Gauge("caudal_subscription_paused", "Whether an operator lets the subscription rest.", ["subscription"])


class Attendance:
    """Attends to one subscriber of this process."""

    def __init__(
        self,
        subscriber: Subscriber,
        logs: Mapping[ContextName, ReadableLog],
        topic: DeadLetterTopic,
        assigned: Callable[[], Iterable[tuple[ContextName, int]]],
    ) -> None:
        self._subscriber, self._logs, self._topic, self._assigned = subscriber, logs, topic, assigned
        self._control: Control | None = None
        self.turn = asyncio.Lock()
        """Held by whoever hands the subscriber something: batches as they come, or the last of what it missed."""
        self.is_resting = False
        """Whether batches are to be let go: what is in them is read from the log when the subscriber goes on."""

    async def run(self) -> None:
        """Runs until cancelled, through outages."""
        pause = _EVERY_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                control = _joined([await store.checkpoints.control() for store in self._subscriber.stores])
                # One that fails must not keep the others from being done.
                done = [await self._done(duty(control)) for duty in (self._retry, self._publish, self._obey)]
            except Unavailable:
                continue
            pause = _EVERY_SECONDS if all(done) else min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def stand_aside(self) -> None:
        """Lets the subscriber's batches go until it can be brought up to date from the log: others must not wait for it."""
        self.is_resting = True

    async def _done(self, duty: Awaitable[None]) -> bool:
        try:
            await duty
        except CaudalError as error:
            is_outage = isinstance(error, Unavailable) and not isinstance(error, DeadLettersFull)
            if is_outage:
                _log.debug("attending again soon", subscription=self._subscriber.name, why=error.detail)
            else:
                _log.warning("a subscription stands still", subscription=self._subscriber.name, why=error.detail)
        except Exception:
            _log.exception("attending failed", subscription=self._subscriber.name)
        else:
            return True
        return False

    async def _retry(self, control: Control) -> None:
        if control.open_dead_letters and not control.is_paused:
            await self._subscriber.retry()

    async def _publish(self, control: Control) -> None:
        if control.has_unpublished_dead_letters:
            for store in self._subscriber.stores:
                await self._topic.publish(store)

    async def _obey(self, control: Control) -> None:
        before = self._control or control
        PAUSED.labels(self._subscriber.name).set(control.is_paused)
        OPEN.labels(self._subscriber.name).set(control.open_dead_letters)
        if control.is_paused:
            if not self.is_resting:
                _log.info("paused", subscription=self._subscriber.name)
            self.is_resting = True
        elif self.is_resting or control.generation != before.generation:
            self.is_resting = True
            await self._catch_up(anew=control.generation != before.generation)
        self._control = control

    async def _catch_up(self, *, anew: bool) -> None:
        """Brings the subscriber to where its logs end: while that is far, batches are let go, at the end they wait."""
        if anew:
            for context in self._subscriber.contexts:
                for partition in range(len((await self._logs[context].head()).partitions)):
                    self._subscriber.forget(context, partition)
        while await self._take_missed() > _CLOSE:
            pass
        async with self.turn:
            self.is_resting = False
            try:
                await self._take_missed()
            except BaseException:
                self.is_resting = True
                raise
        _log.info("goes on", subscription=self._subscriber.name)

    async def _take_missed(self) -> int:
        """Gives the subscriber what its logs have for it in this process's partitions; returns how many events."""
        taken = 0
        for context, partition in sorted(self._assigned()):
            if context in self._subscriber.contexts:
                up_to = (await self._logs[context].head()).partitions[partition]
                position = await self._subscriber.position(context, partition)
                async for rows in partition_events(self._logs[context], partition, position, up_to):
                    await self._subscriber.take([Batch(context, partition, rows)])
                    taken += len(rows)
        return taken


def _joined(controls: Sequence[Control]) -> Control:
    """What is said of a subscription in several places."""
    return Control(
        is_paused=any(control.is_paused for control in controls),
        generation=sum(control.generation for control in controls),
        open_dead_letters=sum(control.open_dead_letters for control in controls),
        has_unpublished_dead_letters=any(control.has_unpublished_dead_letters for control in controls),
    )
