"""A small system for measurements: counters, whose every command records one event of 256 bytes, and a view of their totals."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.snapshot import SnapshotPolicy
from aggregates.system import Domain
from projectors.projection import Projection
from schemas.catalog import Context, System
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.message import Command, Event
from schemas.text import Identifier
from schemas.view import View


class OpenCounter(Command, name="open-counter"):
    note: str


class Count(Command, name="count"):
    counter: Identifier
    note: str


class Counted(Event, name="Counted"):
    note: str


class Total(BaseModel):
    total: int


class Totals(View, name="totals", context="counters", key="counter"):
    counter: str
    total: int = 0
    last_at: datetime | None = None


class Counter(Aggregate):
    category = "counter"
    snapshots: ClassVar[SnapshotPolicy | None] = SnapshotPolicy(Total, every=100)

    def __init__(self) -> None:
        self.total = 0

    def evolve(self, event: Event) -> None:
        self.total += 1


def count(issued: CommandEnvelope[OpenCounter | Count], counter: Counter) -> None:
    counter.record(Counted(note=issued.data.note))


def counted(row: Totals, event: RecordedEvent[Counted]) -> Totals:
    return row.replace(total=row.total + 1, last_at=event.recorded_at)


NOTE = "x" * 244
SYSTEM = System("bench", (Context("counters", commands=(OpenCounter, Count), events=(Counted,)),), views=(Totals,))
PROJECTIONS = (Projection(Totals, counted, events=(Counted,), key=lambda event: event.stream),)
DOMAIN = Domain(
    decisions=(
        Decision(OpenCounter, lambda issued: (Ref(Counter, str(issued.id)),), count, creates=True),
        Decision(Count, lambda issued: (Ref(Counter, issued.data.counter),), count),
    ),
    aggregates={"counters": (Counter,)},
)


def installed_in(folder: Path) -> dict[str, str]:
    """The environment in which the system is installed: what `pip install` would leave, in a folder on the path."""
    made = folder / "counters-0.1.0.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: counters\nVersion: 0.1.0\n")
    points = {"caudal.schemas": "SYSTEM", "caudal.aggregates": "DOMAIN", "caudal.projectors": "PROJECTIONS"}
    groups = (f"[{group}]\nbench = tests.benchmarks.counters:{name}\n" for group, name in points.items())
    (made / "entry_points.txt").write_text("\n".join(groups))
    return {"PYTHONPATH": f"{folder}:{Path(__file__).parents[2]}"}
