"""Aggregates in memory: as many as a number of bytes holds."""

from aggregates.aggregate import Aggregate
from aggregates.scenario import MIDNIGHT
from command_api.handling.cache import AggregateMemory, size_of
from schemas.catalog import ContextName
from schemas.message import Event

HERE, THERE = ContextName("bank", "accounts"), ContextName("bank", "loans")


class Noted(Event, name="Noted"):
    text: str


class Notes(Aggregate):
    category = "notes"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def evolve(self, event: Event) -> None:
        assert isinstance(event, Noted)
        self.texts.append(event.text)


def notes(key: str, length: int = 0) -> Notes:
    made = Notes.empty(f"notes-{key}", MIDNIGHT)
    made.record(Noted(text="x" * length))
    made.take_recorded()
    return made


def test_what_is_kept_is_the_very_object() -> None:
    memory, kept = AggregateMemory(1_000_000), notes("a")

    memory.keep(HERE, kept)

    assert memory.get(HERE, "notes-a") is kept
    assert memory.get(THERE, "notes-a") is None


def test_the_least_recently_used_make_room() -> None:
    memory = AggregateMemory(40_000)
    for key in ("a", "b", "c"):
        memory.keep(HERE, notes(key, 10_000))
    memory.get(HERE, "notes-a")

    memory.keep(HERE, notes("d", 10_000))

    assert [key for key in "abcd" if memory.get(HERE, f"notes-{key}")] == ["a", "c", "d"]


def test_what_is_recorded_counts_at_once() -> None:
    memory, growing = AggregateMemory(100_000), notes("a")
    memory.keep(HERE, notes("b"))
    memory.keep(HERE, growing)
    for _ in range(10):
        growing.record(Noted(text="x" * 20_000))
        memory.record(HERE, growing.id, 20_000)

    assert memory.get(HERE, "notes-b") is None
    assert memory.get(HERE, "notes-a") is growing


def test_one_that_is_used_for_ever_but_does_not_grow_stays_light() -> None:
    memory, hot, other = AggregateMemory(1_000_000), notes("hot"), notes("other")
    memory.keep(HERE, other)
    memory.keep(HERE, hot)

    for _ in range(100_000):
        memory.keep(HERE, hot)
        memory.record(HERE, hot.id, 250)

    assert memory.get(HERE, "notes-other") is other


def test_the_one_that_is_in_use_stays_however_heavy() -> None:
    memory, heavy = AggregateMemory(1000), notes("a", 50_000)

    memory.keep(HERE, heavy)

    assert memory.get(HERE, "notes-a") is heavy


def test_what_is_forgotten_is_gone_and_weighs_nothing() -> None:
    memory, first, second = AggregateMemory(25_000), notes("a", 20_000), notes("b", 20_000)
    memory.keep(HERE, first)
    memory.forget(HERE, notes("a"))
    assert memory.get(HERE, "notes-a") is first

    memory.forget(HERE, first)
    memory.keep(HERE, second)

    assert memory.get(HERE, "notes-a") is None
    assert memory.get(HERE, "notes-b") is second


def test_weighing_counts_all_that_is_held_once_and_no_classes() -> None:
    text = "x" * 10_000

    assert 10_000 < size_of([text, text]) < 11_000
    assert size_of(notes("a")) < 3000
