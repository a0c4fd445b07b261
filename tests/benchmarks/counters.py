"""A small system for measurements: counters, whose every command records one event of 256 bytes, and a view of their totals."""

from datetime import datetime
from pathlib import Path

from aggregates.decision import Decision, Events
from aggregates.state import State
from aggregates.stream import Stream
from aggregates.system import Domain
from projectors.projection import Projection
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command, Event
from schemas.system import Context, System
from schemas.values.text import Identifier
from schemas.view import View


class OpenCounter(Command):
    note: str


class Count(Command):
    counter: Identifier
    note: str


class Counted(Event):
    note: str


class Totals(View, context="counters", key="counter"):
    counter: str
    total: int = 0
    last_at: datetime | None = None


class Counter(State, snapshot_every=100):
    total: int = 0


def evolve(counter: Counter, event: Event) -> Counter:
    return Counter(total=counter.total + 1)


COUNTER = Stream("counter", Counter, evolve)


def open_counter(command: CommandEnvelope[OpenCounter]) -> Events:
    yield Counted(note=command.data.note)


def count(command: CommandEnvelope[Count], counter: Counter) -> Events:
    yield Counted(note=command.data.note)


def counted(row: Totals, event: RecordedEvent[Counted]) -> Totals:
    return row.replace(total=row.total + 1, last_at=event.recorded_at)


NOTE = "x" * 244
SYSTEM = System("bench", (Context("counters", commands=(OpenCounter, Count), events=(Counted,)),), views=(Totals,))
PROJECTIONS = (Projection(Totals, counted, events=(Counted,), key=lambda event: event.stream),)
DOMAIN = Domain(
    decisions=(
        Decision(OpenCounter, COUNTER.create(), open_counter),
        Decision(Count, COUNTER.create_or_change("counter"), count),
    ),
)


def installed_in(folder: Path) -> dict[str, str]:
    """The environment in which the system is installed: what `pip install` would leave, in a folder on the path."""
    made = folder / "counters-0.1.0.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: counters\nVersion: 0.1.0\n")
    (made / "entry_points.txt").write_text("[caudal.systems]\nbench = tests.benchmarks.counters:SYSTEM\n")
    return {"PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"}
