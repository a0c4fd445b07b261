"""What came of verifying one log, topic or view, and how it is told."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Part = Literal["log", "topic", "view"]
_MAX_PRINTED = 10


@dataclass(slots=True)
class Report:
    """What came of one log, topic or view."""

    part: Part
    name: str
    events: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    """Further numbers, by name."""
    summary: str = ""
    """What there is to say where nothing is wrong."""
    found: int = 0
    """How many findings there are in all."""
    findings: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be looked at, or is worth knowing."""
    repaired: str | None = None
    """What was done about findings."""
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        return not self.found

    def turn_notes_into_findings(self) -> None:
        """Counts as wrong what could not be looked at."""
        self.findings += [{"what": note} for note in self.notes]
        self.found += len(self.notes)
        self.notes = []


class Teller:
    """Tells of reports: as lines for people while they come, or as one JSON document at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=as_json, highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """A bar with a rate while the block runs; the block calls it with what is done and what is to be done."""
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"))
        console, started = self._console, time.monotonic()
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(name, total=None, rate="")

            def show(done: int, total: int) -> None:
                rate = f"{done / max(time.monotonic() - started, 0.001):,.0f} events/s"
                bar.update(task, completed=done, total=total, rate=rate)

            yield show

    def tell(self, report: Report) -> None:
        """Prints what came of one."""
        rate = report.events / max(report.seconds, 0.001)
        told = f"{report.part} {report.name}: {report.events:,} events in {report.seconds:.1f} s ({rate:,.0f}/s)"
        if report.is_right:
            self._console.print(f"[green]✓[/] {told}, {report.summary}")
        else:
            self._console.print(f"[red]✗[/] {told}, {report.found:,} wrong")
            for finding in report.findings[:_MAX_PRINTED]:
                line = "  " + " ".join(f"{name} {value}" for name, value in finding.items())
                self._console.print(line, style="red", markup=False)
            if report.found > _MAX_PRINTED:
                self._console.print(f"  … and {report.found - min(_MAX_PRINTED, len(report.findings)):,} more")
        for note in report.notes:
            self._console.print(f"  note: {note}", style="yellow", markup=False)
        if report.repaired is not None:
            self._console.print(f"  repaired: {report.repaired}", style="green", markup=False)

    def end(self, reports: Sequence[Report]) -> None:
        """Prints the JSON document where one is wanted."""
        if self._as_json:
            sys.stdout.write(orjson.dumps([asdict(report) for report in reports]).decode() + "\n")
