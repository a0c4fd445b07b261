"""The watchdog: partitions without progress are read on from the log, and a stopped consumer ends the process."""

import asyncio

import pytest

from schemas.errors import ConsumerStopped
from schemas.system import ContextName
from streams.subscriptions.watchdog import LAG, Watchdog
from tests.unit.streams.subscriptions.fakes import CONTEXT, FakeSubscriber, filled_log

BOTH = {(CONTEXT, 0), (CONTEXT, 1)}


class Bench:
    """A watchdog over one subscriber and a log of ten events."""

    def __init__(self, *, is_left_behind: bool = False) -> None:
        self.subscriber, self.is_left_behind = FakeSubscriber(), is_left_behind

    async def start(self, stall_seconds: float = 0.0) -> "Bench":
        async def is_left_behind() -> bool:
            return self.is_left_behind

        self.log = await filled_log(10)
        self.watchdog = Watchdog(stall_seconds, {CONTEXT: self.log}, is_left_behind)
        return self

    async def check(
        self, times: int, assigned: set[tuple[ContextName, int]] | None = None, suspended: tuple[str, ...] = ()
    ) -> None:
        for _ in range(times):
            await self.watchdog.check([self.subscriber], suspended, BOTH if assigned is None else assigned)
            await asyncio.sleep(0.002)


async def test_a_partition_without_progress_is_read_on_from_the_log() -> None:
    bench = await Bench().start()

    await bench.check(1)
    assert bench.subscriber.handled == [], "it waits first whether the position moves"
    await bench.check(1)

    assert len(bench.subscriber.handled) == 10


async def test_the_lag_of_its_own_partitions_is_measured() -> None:
    bench = await Bench().start(stall_seconds=60)

    await bench.check(1)

    assert LAG.labels(bench.subscriber.name, str(CONTEXT))._value.get() >= 9


async def test_a_suspended_subscriber_is_left_alone() -> None:
    bench = await Bench().start()

    await bench.check(3, suspended=("todo.tasks",))

    assert bench.subscriber.handled == []


async def test_a_log_that_has_not_grown_is_compared_now_and_then() -> None:
    bench, reads = await Bench().start(), 0
    position = bench.subscriber.position

    async def counted(context: ContextName, partition: int) -> int:
        nonlocal reads
        reads += 1
        return await position(context, partition)

    bench.subscriber.position = counted  # type: ignore[method-assign]
    await bench.check(3)
    assert len(bench.subscriber.handled) == 10
    reads = 0

    await bench.check(3)
    assert reads == 0
    await filled_log(1, bench.log)
    await bench.check(3)
    assert len(bench.subscriber.handled) == 11
    reads = 0
    await bench.check(10)
    assert 0 < reads <= 4, "an operator may have set a checkpoint back"


async def test_what_is_new_after_a_rest_is_waited_for_first() -> None:
    bench = await Bench().start(stall_seconds=0.05)
    bench.subscriber.positions = list((await bench.log.head()).partitions)
    await bench.check(2)
    await asyncio.sleep(0.1)

    await filled_log(2, bench.log)
    await bench.check(2)
    assert bench.subscriber.handled == [], "the consumer has had no time to bring it"
    await asyncio.sleep(0.1)
    await bench.check(1)
    assert len(bench.subscriber.handled) == 2


async def test_partitions_of_others_have_a_longer_limit() -> None:
    bench = await Bench().start(stall_seconds=0.05)
    await bench.check(1, set())
    await asyncio.sleep(0.1)
    await bench.check(1, set())
    assert bench.subscriber.handled == []

    await asyncio.sleep(0.15)
    await bench.check(1, set())

    assert len(bench.subscriber.handled) == 10


@pytest.mark.parametrize("is_left_behind", [True, False])
async def test_a_consumer_that_fetches_nothing_of_what_the_broker_holds_ends_the_process(is_left_behind: bool) -> None:
    bench = await Bench(is_left_behind=is_left_behind).start()
    bench.subscriber.is_idle = True

    if is_left_behind:
        with pytest.raises(ConsumerStopped):
            await bench.check(10)
    else:
        await bench.check(10)


async def test_a_consumer_that_brings_something_is_not_suspected() -> None:
    bench = await Bench(is_left_behind=True).start()
    bench.subscriber.is_idle = True

    for _ in range(5):
        await bench.check(2)
        bench.watchdog.note_progress()


async def test_it_starts_over_while_batches_are_being_handled() -> None:
    bench = await Bench().start()

    for _ in range(3):
        await bench.check(1)
        bench.watchdog.start_over()

    assert bench.subscriber.handled == []
