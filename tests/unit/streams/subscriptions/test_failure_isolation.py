"""Failure isolation: what fails is parked with what follows it in its stream; the rest is applied."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from schemas.errors import Unavailable
from streams.log.stored_events import StoredEvent
from streams.subscriptions import failure_isolation as module
from streams.subscriptions.failure_isolation import FailureIsolation, Isolated
from streams.subscriptions.subscriber import LogEvent
from tests.unit.streams.subscriptions.fake_dead_letters import CONTEXT, FakeDeadLetters


def event(position: int, stream: str) -> StoredEvent:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    metadata = '{"command_id":"00000000-0000-0000-0000-000000000001","correlation_id":"c"}'
    return StoredEvent(position, stream, 1, uuid4(), "Changed", 1, 0, position - 1, at, "{}", metadata)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


class Bench:
    """A failure isolation whose effect fails for some positions."""

    def __init__(self, *failing: int, **options: Any) -> None:
        self.store, self.failing, self.applied, self.calls = FakeDeadLetters(), set(failing), list[int](), 0
        self.outage: Exception | None = None
        self.isolation: FailureIsolation[int] = FailureIsolation(self.store, self.apply, **options)  # type: ignore[arg-type]

    async def die(self, _: Any, events: Sequence[LogEvent]) -> int:
        raise Death

    async def apply(self, _: Any, events: Sequence[LogEvent]) -> int:
        self.calls += 1
        if self.outage is not None:
            raise self.outage
        positions = [one.event.position for one in events]
        if found := self.failing & set(positions):
            raise LookupError(f"not {min(found)}")
        self.applied += positions
        return len(positions)

    async def handle(self, events: Sequence[StoredEvent]) -> Isolated[int]:
        found = [LogEvent(CONTEXT, one) for one in events]
        return await self.isolation.handle(None, found, [CONTEXT])


def parked(store: FakeDeadLetters) -> list[tuple[int, str, str | None]]:
    found = [(one.event, one.state, one.fault) for one in store.parked if one.event is not None]
    return [(event.position, state, None if fault is None else fault.error) for event, state, fault in found]


@pytest.mark.parametrize("max_events", [None, 1, 3])
async def test_the_failing_event_and_those_behind_it_are_parked(max_events: int | None) -> None:
    bench = Bench(4, max_events=max_events)
    events = [event(n, f"s-{n % 3}") for n in range(1, 12)]

    isolated = await bench.handle(events)

    assert parked(bench.store) == [
        (4, "retrying", "LookupError: not 4"),
        (7, "waiting", None),
        (10, "waiting", None),
    ]
    assert bench.applied == [1, 2, 3, 5, 6, 8, 9, 11]
    assert sum(isolated.results) == 8
    assert isolated.parked == bench.store.parked


async def test_one_of_a_thousand_costs_some_twenty_attempts_by_halving() -> None:
    bench = Bench(777)

    await bench.handle([event(n, f"s-{n}") for n in range(1, 1001)])

    assert [position for position, _, _ in parked(bench.store)] == [777]
    assert len(bench.applied) == 999
    assert bench.calls <= 21


async def test_each_fault_is_logged_with_its_place_and_one_traceback_a_place(logged: list[Any]) -> None:
    await Bench(1, 2).handle([event(n, f"s-{n}") for n in (1, 2, 3)])

    lines = [line for line in logged if line["event"] == "event parked"]
    assert [(line["position"], line["why"]) for line in lines] == [(1, "LookupError: not 1"), (2, "LookupError: not 2")]
    assert all(line["location"].startswith(__file__) for line in lines)
    assert [isinstance(line["exc_info"], LookupError) for line in lines] == [True, False]


async def test_one_by_one_each_event_is_applied_once() -> None:
    bench = Bench(3, max_events=1)

    await bench.handle([event(n, f"s-{n}") for n in range(1, 11)])

    assert bench.calls == 10


async def test_events_behind_an_open_dead_letter_wait() -> None:
    bench = Bench()
    bench.store.open = [event(1, "s-1")]

    await bench.handle([event(2, "s-1"), event(3, "s-2")])

    assert parked(bench.store) == [(2, "waiting", None)]
    assert bench.applied == [3]


async def test_an_error_that_is_not_about_an_event_is_raised() -> None:
    bench = Bench(2, is_fault_of_event=lambda error: not isinstance(error, LookupError))

    with pytest.raises(LookupError):
        await bench.handle([event(n, "s-1") for n in (1, 2, 3)])

    assert bench.store.parked == []


async def test_a_retry_goes_on_in_order_until_one_fails() -> None:
    bench = Bench(3)
    bench.store.open = [event(1, "s-1"), event(2, "s-1"), event(3, "s-1"), event(4, "s-1"), event(5, "s-2")]

    await bench.isolation.retry()

    assert bench.store.handled == [1, 2, 5]
    ((position, fault),) = bench.store.failed
    assert (position, fault.error) == (3, "LookupError: not 3")
    assert __file__ in fault.traceback


async def test_a_dead_letter_stays_until_its_effect_is_there() -> None:
    is_finished = False

    async def finished(_: int) -> bool:
        return is_finished

    bench = Bench(is_finished=finished)
    bench.store.open = [event(1, "s-1"), event(2, "s-1")]
    await bench.isolation.retry()
    assert (bench.store.handled, bench.store.failed, bench.applied) == ([], [], [1])

    is_finished = True
    await bench.isolation.retry()

    assert bench.store.handled == [1, 2]


async def test_a_dead_letter_that_is_edited_while_its_effect_is_awaited_is_tried_again() -> None:
    async def edited(_: int) -> bool:
        if len(bench.applied) == 1:
            bench.store.edited = "{}"
        return True

    bench = Bench(is_finished=edited)
    bench.store.open = [event(1, "s-1")]

    await bench.isolation.retry()

    assert (bench.applied, bench.store.handled) == ([1, 1], [1])


async def test_a_dead_letter_that_is_resolved_meanwhile_is_not_resolved_again() -> None:
    async def resolved_by_another(_: int) -> bool:
        bench.store.open = []
        return True

    bench = Bench(is_finished=resolved_by_another)
    bench.store.open = [event(1, "s-1"), event(2, "s-1")]

    await bench.isolation.retry()

    assert (bench.applied, bench.store.handled) == ([1], [])


async def test_an_effect_is_awaited_without_a_connection() -> None:
    async def finished(_: int) -> bool:
        return not bench.store.is_locked

    bench = Bench(is_finished=finished)
    bench.store.open = [event(1, "s-1")]

    await bench.isolation.retry()

    assert bench.store.handled == [1]


async def test_a_result_that_cannot_be_finished_counts_as_a_failed_attempt() -> None:
    async def raising(_: object) -> bool:
        raise ZeroDivisionError("a slip in the decision")

    bench = Bench(is_finished=raising)
    bench.store.open = [event(1, "s-1"), event(2, "s-1")]
    await bench.isolation.retry()

    ((position, fault),) = bench.store.failed
    assert (position, fault.error) == (1, "ZeroDivisionError: a slip in the decision")
    assert bench.store.handled == []


async def test_an_outage_while_a_result_is_finished_is_no_attempt() -> None:
    async def away(_: object) -> bool:
        raise Unavailable

    bench = Bench(is_finished=away)
    bench.store.open = [event(1, "s-1")]
    with pytest.raises(Unavailable):
        await bench.isolation.retry()

    assert bench.store.failed == []


async def test_an_event_whose_effect_fails_later_is_parked_as_one_that_failed() -> None:
    bench = Bench()

    await bench.isolation.park(LogEvent(CONTEXT, event(4, "s-1")), LookupError("later"))

    assert parked(bench.store) == [(4, "retrying", "LookupError: later")]


class Death(BaseException):
    """The end of a process: nothing catches it."""


async def test_a_dead_letter_of_which_three_processes_die_is_not_tried_again() -> None:
    bench = Bench()
    bench.store.open = [event(4, "s")]

    for _ in range(3):
        bench.isolation = FailureIsolation(bench.store, bench.die)  # type: ignore[arg-type]  # another process
        with pytest.raises(Death):
            await bench.isolation.retry()
        bench.store.claimed.clear()  # its time is over
    bench.isolation = FailureIsolation(bench.store, bench.die)  # type: ignore[arg-type]
    await bench.isolation.retry()

    assert bench.store.died == ["4 ProcessDied: the process ended while handling it again"]


async def test_deaths_that_an_attempt_has_survived_do_not_count() -> None:
    bench = Bench(4)
    bench.store.open = [event(4, "s")]

    for _ in range(5):
        await bench.isolation.retry()
    assert bench.store.deaths == {4: 0}

    unfinished = Bench(is_finished=_is_not_finished)
    unfinished.store.open = [event(4, "s")]
    for _ in range(5):
        await unfinished.isolation.retry()
    assert (unfinished.store.deaths, unfinished.store.died) == ({4: 0}, [])


@pytest.mark.parametrize("processes", [2, 4])
async def test_only_one_process_tries_a_dead_letter_at_once(processes: int) -> None:
    is_started, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(_: int) -> bool:
        is_started.set()
        await goes_on.wait()
        return True

    bench = Bench(is_finished=slow)
    bench.store.open = [event(4, "s")]
    first = asyncio.create_task(bench.isolation.retry())
    await is_started.wait()

    for _ in range(processes - 1):
        other: FailureIsolation[int] = FailureIsolation(bench.store, bench.apply, is_finished=slow)  # type: ignore[arg-type]
        await other.retry()

    assert (bench.applied, bench.store.deaths, bench.store.died) == ([4], {4: 1}, [])
    goes_on.set()
    await first
    assert bench.store.handled == [4]


async def test_the_claim_of_a_dead_letter_lasts_as_long_as_its_effect_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLAIM_SECONDS", 0.03)

    async def slow(_: int) -> bool:
        while bench.store.extensions < 3:
            await asyncio.sleep(0.01)
        return True

    bench = Bench(is_finished=slow)
    bench.store.open = [event(4, "s")]

    await bench.isolation.retry()
    extensions = bench.store.extensions
    await asyncio.sleep(0.05)

    assert (bench.store.handled, bench.store.extensions) == ([4], extensions)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), Unavailable("no database"), ValueError("wrong")])
async def test_a_retry_that_ends_in_order_is_no_death(error: BaseException) -> None:
    bench = Bench(is_fault_of_event=lambda _: False)
    bench.store.open = [event(4, "s")]
    bench.outage = error  # type: ignore[assignment]

    with pytest.raises(type(error)):
        await bench.isolation.retry()

    assert (bench.store.deaths, bench.store.claimed) == ({4: 0}, set())


async def test_a_process_that_is_stopped_while_an_effect_is_awaited_leaves_no_death() -> None:
    is_started = asyncio.Event()

    async def never(_: int) -> bool:
        is_started.set()
        await asyncio.Event().wait()
        return True

    bench = Bench(is_finished=never)
    bench.store.open = [event(4, "s")]
    process = asyncio.create_task(bench.isolation.retry())
    await is_started.wait()

    process.cancel()
    with pytest.raises(asyncio.CancelledError):
        await process

    assert (bench.store.deaths, bench.store.claimed) == ({4: 0}, set())


@pytest.mark.parametrize(
    ("before", "meanwhile", "expected"),
    [(0, 1, 1), (0, 2, 2), (1, 0, 1), (1, 2, 2)],
    ids=["no other process", "another one has died of it", "another one has survived it", "no other process since a death"],
)
async def test_a_process_that_could_not_note_its_survival_counts_the_deaths_of_the_others(
    before: int, meanwhile: int, expected: int
) -> None:
    bench = Bench(is_fault_of_event=lambda _: False)
    bench.store.open, bench.store.deaths = [event(4, "s")], {4: before}

    async def away(*_: Any) -> int:
        bench.store.is_away = True
        raise Unavailable("no database")

    isolation: FailureIsolation[int] = FailureIsolation(bench.store, away, is_fault_of_event=lambda _: False)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await isolation.retry()
    assert bench.store.deaths == {4: before + 1}

    bench.store.is_away, bench.store.claimed, bench.store.deaths = False, set(), {4: meanwhile}
    with pytest.raises(Unavailable):
        await isolation.retry()

    assert bench.store.deaths == {4: expected}


async def test_a_process_that_cannot_note_its_survival_counts_itself_once() -> None:
    bench = Bench()
    bench.store.open = [event(4, "s")]

    async def away(_: Any, events: Sequence[LogEvent]) -> int:
        bench.store.is_away = True
        raise Unavailable("no database")

    isolation: FailureIsolation[int] = FailureIsolation(
        bench.store,  # type: ignore[arg-type]
        away,
        is_fault_of_event=lambda error: not isinstance(error, Unavailable),
    )
    for _ in range(5):
        with pytest.raises(Unavailable):
            await isolation.retry()
        bench.store.is_away = False
        bench.store.claimed.clear()  # its time is over

    assert (bench.store.deaths, bench.store.died) == ({4: 1}, [])


async def test_an_outage_during_a_retry_is_no_death() -> None:
    bench = Bench(is_fault_of_event=lambda error: not isinstance(error, Unavailable))
    bench.store.open = [event(4, "s")]

    for _ in range(5):
        bench.outage = Unavailable("no database")
        with pytest.raises(Unavailable):
            await bench.isolation.retry()
    bench.outage = None
    await bench.isolation.retry()

    assert (bench.store.handled, bench.store.died) == ([4], [])


async def _is_not_finished(_: int) -> bool:
    return False
