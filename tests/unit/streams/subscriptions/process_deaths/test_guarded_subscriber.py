"""A subscriber whose events may end the process: one that ends it twice while it is handled alone is parked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from schemas.errors import Unavailable
from streams.log.memory import MemoryLog
from streams.subscriptions.process_deaths import guarded_subscriber as module
from streams.subscriptions.process_deaths.guarded_subscriber import GuardedSubscriber
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.subscriber import Batch
from tests.unit.streams.subscriptions.fakes import CONTEXT, FakeSubscriber, filled_log

PARTITION = 0


class Death(BaseException):
    """The end of a process: nothing catches it."""


class FatalSubscriber(FakeSubscriber):
    """Dies of some events, unless they are parked."""

    def __init__(self, *fatal: int) -> None:
        super().__init__()
        self.fatal = set(fatal)

    async def handle(self, batches: Sequence[Batch]) -> None:
        positions = {event.position for batch in batches for event in batch.events}
        new = {position for position in positions if position > self.positions[PARTITION]}
        if new & self.fatal - self.parked.keys():
            raise Death
        await super().handle(batches)


@pytest.fixture
async def log() -> MemoryLog:
    return await filled_log(60)


async def batches_of(log: MemoryLog) -> list[Batch]:
    """The events of a partition, in batches of ten."""
    events = await log.read_partition(PARTITION, 0, 60, 60)
    return [Batch(CONTEXT, PARTITION, events[start : start + 10]) for start in range(0, len(events), 10)]


async def lives(subscriber: FakeSubscriber, log: MemoryLog, batches: Sequence[Batch]) -> bool:
    """Runs a process from the subscriber's position; returns whether it outlives the batches."""
    process = GuardedSubscriber(subscriber, {CONTEXT: log}, Turns())
    try:
        for batch in batches:
            await process.handle([batch])
    except Death:
        return False
    return True


@pytest.mark.parametrize("careful_seconds", [0.0, 60.0])
@pytest.mark.parametrize("index", [0, 4, 9, 15])
async def test_the_event_of_which_processes_die_is_parked_after_at_most_four_deaths(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch, careful_seconds: float, index: int
) -> None:
    monkeypatch.setattr(module, "CAREFUL_SECONDS", careful_seconds)
    batches = await batches_of(log)
    positions = [event.position for batch in batches for event in batch.events]
    subscriber = FatalSubscriber(positions[index])

    deaths = 0
    while not await lives(subscriber, log, batches):
        deaths += 1
        assert deaths <= 4

    assert subscriber.parked == {positions[index]: "the process ended twice while handling it alone"}
    assert [position for _, position in subscriber.handled] == positions
    assert all(note["times"] == 0 and note["up_to"] <= positions[-1] for note in subscriber.store.rows.values())


async def test_two_events_of_one_batch_cost_at_most_three_deaths_each(log: MemoryLog) -> None:
    batches = await batches_of(log)
    positions = [event.position for batch in batches for event in batch.events]
    subscriber = FatalSubscriber(positions[3], positions[4])

    deaths = 0
    while not await lives(subscriber, log, batches):
        deaths += 1
        assert deaths <= 6

    assert subscriber.parked.keys() == {positions[3], positions[4]}


async def test_an_event_that_was_handled_alone_once_when_the_process_died_is_tried_again(log: MemoryLog) -> None:
    first, *_ = await batches_of(log)
    positions = [event.position for event in first.events]
    for killed_at in positions:
        subscriber = FatalSubscriber(positions[9])
        assert not await lives(subscriber, log, [first])
        subscriber.fatal = {killed_at}
        assert not await lives(subscriber, log, [first])
        subscriber.fatal = set()

        assert await lives(subscriber, log, [first])

        assert subscriber.parked == {}


async def test_the_batches_of_several_partitions_are_noted_in_one_statement_and_handled_together(log: MemoryLog) -> None:
    subscriber = FakeSubscriber()
    both = [Batch(CONTEXT, partition, await log.read_partition(partition, 0, 60, 60)) for partition in (0, 1)]

    await GuardedSubscriber(subscriber, {CONTEXT: log}, Turns()).handle(both)

    assert (subscriber.store.statements, len(subscriber.handled), subscriber.calls) == (1, 60, 1)


async def test_after_some_seconds_nothing_is_noted(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAREFUL_SECONDS", 0.0)
    subscriber = FakeSubscriber()
    process = GuardedSubscriber(subscriber, {CONTEXT: log}, Turns())
    first, *others = await batches_of(log)

    await process.handle([first])
    noted = subscriber.store.statements
    for batch in others:
        await process.handle([batch])

    assert (noted, subscriber.store.statements, subscriber.store.rows) == (2, 2, {})


async def test_a_batch_that_fails_or_is_cancelled_is_no_death(log: MemoryLog) -> None:
    (first, *_), subscriber = await batches_of(log), FakeSubscriber()
    for error in (Unavailable("no database"), asyncio.CancelledError()):
        subscriber.fails_with = error  # type: ignore[assignment]
        with pytest.raises(type(error)):
            await GuardedSubscriber(subscriber, {CONTEXT: log}, Turns()).handle([first])
        assert subscriber.store.rows == {}


async def test_an_orderly_end_during_a_later_try_keeps_the_deaths_before(log: MemoryLog) -> None:
    batches = await batches_of(log)
    subscriber = FatalSubscriber(batches[0].events[4].position)
    for _ in range(3):
        assert not await lives(subscriber, log, batches)
    noted = dict(subscriber.store.rows)

    subscriber.fails_with = Unavailable("no database")
    with pytest.raises(Unavailable):
        await lives(subscriber, log, batches[1:])

    assert subscriber.store.rows == noted


async def test_a_partition_that_comes_back_is_handled_with_care_again(log: MemoryLog) -> None:
    first, second, *_ = await batches_of(log)
    subscriber = FatalSubscriber(second.events[2].position)
    survivor = GuardedSubscriber(subscriber, {CONTEXT: log}, Turns())
    await survivor.handle([first])
    survivor.invalidate(CONTEXT, PARTITION)
    for _ in range(3):
        assert not await lives(subscriber, log, [second])  # another process has the partition

    await survivor.handle([second])

    assert subscriber.parked.keys() == subscriber.fatal


async def test_batches_of_two_subscribers_are_not_in_flight_at_once_while_they_are_noted(log: MemoryLog) -> None:
    first, *_ = await batches_of(log)
    in_flight, most = 0, 0

    class Slow(FakeSubscriber):
        async def handle(self, batches: Sequence[Batch]) -> None:
            nonlocal in_flight, most
            in_flight += 1
            most = max(most, in_flight)
            await asyncio.sleep(0.01)
            in_flight -= 1
            await super().handle(batches)

    turns = Turns()
    await asyncio.gather(*(GuardedSubscriber(Slow(), {CONTEXT: log}, turns).handle([first]) for _ in range(3)))

    assert most == 1


class Alone(FakeSubscriber):
    """Handles events that another process died of, and notes what others do meanwhile."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        events = batch.events
        self.store.rows[str(CONTEXT), PARTITION] = {"first": events[0].position, "up_to": events[-1].position, "times": 0}
        self.is_in_flight = self.was_disturbed = False

    async def handle(self, batches: Sequence[Batch]) -> None:
        self.is_in_flight = True
        await asyncio.sleep(0.005)
        self.is_in_flight = False
        await super().handle(batches)

    def disturb(self) -> None:
        self.was_disturbed |= self.is_in_flight


class Other(FakeSubscriber):
    """Another subscriber of the process."""

    def __init__(self, alone: Alone) -> None:
        super().__init__()
        self.alone = alone

    async def handle(self, batches: Sequence[Batch]) -> None:
        self.alone.disturb()
        await asyncio.sleep(0.001)
        self.alone.disturb()
        await super().handle(batches)

    async def retry(self) -> None:
        self.alone.disturb()
        await asyncio.sleep(0.001)
        self.alone.disturb()
        await super().retry()


async def test_others_go_on_between_events_that_are_handled_alone_and_never_beside_one(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAREFUL_SECONDS", 0.0)
    first, *others = await batches_of(log)
    alone, turns = Alone(first), Turns()
    proven, careful = Other(alone), Other(alone)
    guarded = GuardedSubscriber(proven, {CONTEXT: log}, turns)
    await guarded.handle([first])
    by_then: list[int] = []

    async def go_on(work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(0.001)  # the first event is being handled alone
        await work()
        by_then.append(len(alone.handled))

    await asyncio.gather(
        GuardedSubscriber(alone, {CONTEXT: log}, turns).handle([first]),
        go_on(lambda: guarded.handle([others[0]])),
        go_on(guarded.retry),
        go_on(lambda: GuardedSubscriber(careful, {CONTEXT: log}, turns).handle([first])),
    )

    assert len(proven.handled) == len(first.events) + len(others[0].events)
    assert (proven.retries, len(careful.handled), len(alone.handled)) == (1, len(first.events), len(first.events))
    assert not alone.was_disturbed
    assert max(by_then) < len(first.events), "they have not waited for all of them"


async def test_two_calls_about_one_partition_do_not_handle_an_event_alone_twice(log: MemoryLog) -> None:
    first, *_ = await batches_of(log)
    alone = Alone(first)
    alone.store.rows[str(CONTEXT), PARTITION]["times"] = 2
    process = GuardedSubscriber(alone, {CONTEXT: log}, Turns())

    await asyncio.gather(*(process.handle([first]) for _ in range(2)))

    assert alone.parked == {first.events[0].position: "the process ended twice while handling it alone"}
    assert [position for _, position in alone.handled] == [event.position for event in first.events]
    assert alone.calls == len(first.events) + 2


async def test_a_batch_that_waits_while_its_partition_becomes_proven_is_handled(
    log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAREFUL_SECONDS", 0.0)
    batches, subscriber = await batches_of(log), FakeSubscriber()
    process = GuardedSubscriber(subscriber, {CONTEXT: log}, Turns())

    await asyncio.gather(*(process.handle([batch]) for batch in batches))

    assert len(subscriber.handled) == sum(len(batch.events) for batch in batches)


async def test_it_waits_for_room_when_its_turn_is_over(log: MemoryLog) -> None:
    turns, has_room = Turns(), asyncio.Event()

    class Full(FakeSubscriber):
        async def wait_for_room(self) -> None:
            await has_room.wait()

    first, *_ = await batches_of(log)
    handling = asyncio.create_task(GuardedSubscriber(Full(), {CONTEXT: log}, turns).handle([first]))
    await asyncio.wait([handling], timeout=0.02)
    async with asyncio.timeout(1), turns.alone():
        assert not handling.done()

    has_room.set()
    await asyncio.wait_for(handling, 1)


async def test_the_rest_is_the_subscribers_own(log: MemoryLog) -> None:
    subscriber = FakeSubscriber()
    guarded = GuardedSubscriber(subscriber, {CONTEXT: log}, Turns())
    (event, *_) = (await batches_of(log))[0].events

    await guarded.retry()
    await guarded.park(CONTEXT, event, ValueError("wrong"))
    guarded.invalidate(CONTEXT, 1)

    assert (subscriber.retries, subscriber.parked, subscriber.invalidated) == (1, {event.position: "wrong"}, [1])
    await guarded.wait_for_room()
    assert subscriber.waits_for_room == 1
    assert (guarded.events, guarded.stores) == (subscriber.events, subscriber.stores)
    assert await guarded.position(CONTEXT, 0) == 0
