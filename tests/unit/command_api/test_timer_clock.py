"""The timer clock: each due timer is fired once, and one that fails delays no other."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from command_api.timer_clock import TimerClock, timer_command
from schemas.envelope import CommandEnvelope, Receipt
from schemas.errors import Conflict, Invalid, Misconfigured, SchemaMismatch, Unavailable
from streams.log.timers import Timer
from streams.subscriptions.process_deaths.turns import Turns
from tests.conftest import eventually
from tests.unit.command_api.known import Known

SAGA = "travel.trip"


def timer(n: int) -> Timer:
    return Timer(f"saga-{n}", "car", MIDNIGHT + timedelta(seconds=n), SAGA, str(n), "c", version=1)


class Table:
    """Timers that stay due, in pages."""

    def __init__(self, timers: Sequence[Timer]) -> None:
        self._timers = timers

    async def due(
        self, now: datetime, sagas: Collection[str], limit: int, after: tuple[datetime, str, str] | None = None
    ) -> Sequence[Timer]:
        return [
            one for one in self._timers if one.saga in sagas and one.due_at <= now and (after is None or one.place > after)
        ][:limit]


class OnePage:
    """Timers that stay due, in one page."""

    def __init__(self, timers: Sequence[Timer]) -> None:
        self._timers = timers

    async def due(self, *_: object) -> Sequence[Timer]:
        return self._timers


class Handler:
    """Keeps what it handles; some keys fail."""

    def __init__(self, failing: dict[str, Exception] | None = None) -> None:
        self.failing, self.handled = failing or {}, list[CommandEnvelope[Any]]()

    async def handle(self, command: CommandEnvelope[Any]) -> Receipt:
        if (error := self.failing.get(command.data.key)) is not None:
            raise error
        self.handled.append(command)
        return Receipt(
            command_id=command.id,
            stream="saga-x",
            version=1,
            position=1,
            partition=0,
            recorded_at=command.at,
            events=("SagaAdvanced",),
        )

    @property
    def keys(self) -> list[str]:
        return sorted((one.data.key for one in self.handled), key=int)


async def fire(timers: Sequence[Timer], handler: Handler, at: datetime) -> None:
    await TimerClock(Table(timers), handler, [SAGA], Known(), Turns()).fire_due(at)  # type: ignore[arg-type]


async def test_every_page_of_due_timers_is_fired_and_no_timer_early() -> None:
    handler = Handler()

    await fire([timer(n) for n in range(250)], handler, MIDNIGHT + timedelta(seconds=229))

    assert handler.keys == [str(n) for n in range(230)]


@pytest.mark.parametrize("error", [Conflict("raced"), Unavailable(), Invalid("odd"), ZeroDivisionError("a slip")])
async def test_a_timer_that_cannot_be_fired_delays_no_other(error: Exception) -> None:
    handler = Handler({"1": error})

    await fire([timer(n) for n in range(3)], handler, MIDNIGHT + timedelta(days=1))

    assert handler.keys == ["0", "2"]


def test_a_timer_has_one_command_however_often_and_wherever_it_is_fired() -> None:
    one, again = (timer_command(timer(1), MIDNIGHT + timedelta(hours=n)) for n in (1, 2))

    assert one.id == again.id
    assert isinstance(one.id, UUID)
    assert (one.data.saga, one.data.key, one.data.input.kind, one.data.input.at) == (SAGA, "1", "timer", timer(1).due_at)
    assert len({one.id, timer_command(timer(2), MIDNIGHT).id, timer_command(timer(1)._replace(name="x"), MIDNIGHT).id}) == 3


async def test_the_attempts_of_a_timer_whose_saga_raises_become_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = Handler({"1": ZeroDivisionError("a slip")})
    clock = TimerClock(Table([timer(1), timer(2)]), handler, [SAGA], Known(), Turns())  # type: ignore[arg-type]
    elapsed, attempts = 0.0, []
    monkeypatch.setattr("command_api.timer_clock.time.monotonic", lambda: elapsed)
    for _ in range(1000):
        before = clock._failing.get(timer(1))
        await clock.fire_due(MIDNIGHT + timedelta(days=1))
        if clock._failing.get(timer(1)) != before:
            attempts.append(elapsed)
        elapsed += 0.5

    assert attempts[:5] == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert attempts[-1] - attempts[-2] == 60.0
    handler.failing.clear()
    elapsed += 60
    await clock.fire_due(MIDNIGHT + timedelta(days=1))
    assert "1" in handler.keys
    assert clock._failing == {}


async def test_a_timer_that_no_command_can_hold_delays_no_other() -> None:
    handler, naive = Handler(), timer(1)._replace(due_at=MIDNIGHT.replace(tzinfo=None))
    clock = TimerClock(OnePage([timer(0), naive, timer(2)]), handler, [SAGA], Known(), Turns())  # type: ignore[arg-type]

    await clock.fire_due(MIDNIGHT + timedelta(days=1))

    assert handler.keys == ["0", "2"]


class Failing:
    """A table that cannot be read at first, and then has one due timer."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def due(self, *_: object) -> Sequence[Timer]:
        if self.errors:
            raise self.errors.pop(0)
        return [timer(1)]


@pytest.mark.parametrize("error", [Unavailable(), SchemaMismatch("migrate"), Misconfigured("a right"), ZeroDivisionError("x")])
async def test_timers_fire_after_every_error_of_their_table(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("command_api.timer_clock._POLL_SECONDS", 0.01)
    handler = Handler()
    running = asyncio.create_task(TimerClock(Failing(error, error), handler, [SAGA], Known(), Turns()).run())  # type: ignore[arg-type]

    async def fired() -> bool:
        return "1" in handler.keys

    await eventually(fired)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_timers_of_a_saga_that_another_version_defines_otherwise_are_left_to_it() -> None:
    handler, known = Handler(), Known(f"saga {SAGA}")
    clock = TimerClock(Table([timer(0)]), handler, [SAGA], known, Turns())  # type: ignore[arg-type]

    await clock.fire_due(MIDNIGHT)
    assert handler.handled == []

    known.names.clear()
    await clock.fire_due(MIDNIGHT)
    assert len(handler.handled) == 1


async def test_no_timer_is_fired_while_something_is_handled_alone() -> None:
    handler, turns = Handler(), Turns()
    clock = TimerClock(Table([timer(0)]), handler, [SAGA], Known(), turns)  # type: ignore[arg-type]
    async with turns.alone():
        firing = asyncio.create_task(clock.fire_due(MIDNIGHT))
        await asyncio.wait([firing], timeout=0.02)
        assert handler.handled == []

    await asyncio.wait_for(firing, 1)

    assert len(handler.handled) == 1
