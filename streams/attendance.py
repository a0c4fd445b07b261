"""Attendance: does what operators say of a subscriber, tries its dead letters again, and publishes them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from prometheus_client import Gauge

from schemas.catalog import ContextName
from schemas.errors import Unavailable
from streams.checkpoints import Control
from streams.dead_letter_topic import DeadLetterTopic
from streams.log import ReadableLog, partition_events
from streams.subscriber import Slice, Subscriber

_log = structlog.get_logger()
_EVERY_SECONDS = 0.5

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
        """Held by whoever hands the subscriber something: slices as they come, or what it missed while it rested."""
        self.is_resting = False
        """Whether slices are to be let go: what is in them is read from the log when the subscriber goes on."""

    async def run(self) -> None:
        """Runs until cancelled, through outages."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            try:
                await self._attend()
            except Unavailable as error:
                _log.debug("attending again soon", subscription=self._subscriber.name, why=error.detail)
            except Exception:
                _log.exception("attending failed", subscription=self._subscriber.name)

    async def _attend(self) -> None:
        control = _joined([await store.checkpoints.control() for store in self._subscriber.stores])
        await self._obey(control)
        if control.open_letters and not control.is_paused:
            await self._subscriber.retry()
        if control.has_unpublished_letters:
            for store in self._subscriber.stores:
                await self._topic.publish(store)

    async def _obey(self, control: Control) -> None:
        before = self._control or control
        PAUSED.labels(self._subscriber.name).set(control.is_paused)
        OPEN.labels(self._subscriber.name).set(control.open_letters)
        if control.is_paused:
            if not self.is_resting:
                _log.info("paused", subscription=self._subscriber.name)
            self.is_resting = True
        elif self.is_resting or control.resets != before.resets:
            self.is_resting = True
            async with self.turn:
                await self._catch_up()
                self.is_resting = False
        self._control = control

    async def _catch_up(self) -> None:
        """Reads from the log what came while the subscriber rested, or lies behind the place where it was put."""
        subscriber = self._subscriber
        for context, partition in sorted(self._assigned()):
            if context in subscriber.contexts:
                subscriber.forget(context, partition)
                upto = (await self._logs[context].head()).partitions[partition]
                position = await subscriber.position(context, partition)
                async for rows in partition_events(self._logs[context], partition, position, upto):
                    await subscriber.take([Slice(context, partition, rows)])
        _log.info("goes on", subscription=subscriber.name)


def _joined(controls: Sequence[Control]) -> Control:
    """What is said of a subscription in several places."""
    return Control(
        is_paused=any(control.is_paused for control in controls),
        resets=sum(control.resets for control in controls),
        open_letters=sum(control.open_letters for control in controls),
        has_unpublished_letters=any(control.has_unpublished_letters for control in controls),
    )
