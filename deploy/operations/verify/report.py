"""Reports on one log, topic or view each, or on the files of one context, and their output as text or JSON."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import orjson
from rich.console import Console

from deploy.console.printing import counted
from deploy.console.progress import progress_bar

Part = Literal["log", "topic", "view", "file"]
_MAX_PRINTED = 10


@dataclass(slots=True)
class Report:
    """The result of verifying one log, topic or view."""

    part: Part
    name: str
    events: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    """Further numbers, by name."""
    summary: str = ""
    """The text if nothing is wrong."""
    found: int = 0
    """Number of findings in all."""
    findings: list[dict[str, object]] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)
    """Parts that could not be verified."""
    notes: list[str] = field(default_factory=list)
    """Other remarks, which say nothing against the log, topic or view."""
    exceptions: int = 0
    """Events that the verification leaves out: dead letters."""
    repaired: str | None = None
    """The repair that was made."""
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether there are no findings."""
        return not self.found

    def reject_unverified(self) -> None:
        """Counts the parts that could not be verified as wrong."""
        self.findings += [{"what": part} for part in self.unverified]
        self.found += len(self.unverified)
        self.unverified = []


class Reporter:
    """Prints reports: lines for people as they come, or one JSON document at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(stderr=as_json, highlight=False, soft_wrap=True)

    @contextmanager
    def progress(self, name: str) -> Iterator[Callable[[int, int], None]]:
        """Shows a bar while the block runs; the block calls it with what is done and the total."""
        with progress_bar(self._console, name, "events") as bar:
            yield bar.show

    def print(self, report: Report) -> None:
        """Prints one report."""
        name = f"{report.part} {report.name}: {counted(report.events, 'event')}"
        if report.is_right:
            self._console.print(f"[green]✓[/] {name}, {report.summary}")
        else:
            self._console.print(f"[red]✗[/] {name}, {report.found:,} wrong")
            for finding in report.findings[:_MAX_PRINTED]:
                line = "  " + " ".join(str(value) if name == "what" else f"{name} {value}" for name, value in finding.items())
                self._console.print(line, style="red", markup=False)
            if report.found > _MAX_PRINTED:
                self._console.print(f"  … and {report.found - min(_MAX_PRINTED, len(report.findings)):,} more")
        for note in (*report.unverified, *report.notes):
            self._console.print(f"  note: {note}", style="yellow", markup=False)
        if report.repaired is not None:
            self._console.print(f"  repaired: {report.repaired}", style="green", markup=False)

    def end(self, reports: Sequence[Report]) -> None:
        """Prints the answer in one line, or the JSON document."""
        if self._as_json:
            sys.stdout.write(orjson.dumps([asdict(report) for report in reports]).decode() + "\n")
            return
        style = "bold red" if not all(report.is_right for report in reports) else "bold green"
        if style == "bold green" and any(report.exceptions for report in reports):
            style = "bold yellow"
        self._console.print(conclusion(reports), style=style, markup=False)


def conclusion(reports: Sequence[Report]) -> str:
    """Returns the answer of a verification in one line."""
    events, seconds = sum(report.events for report in reports), sum(report.seconds for report in reports)
    extent = f"{_extent(reports)} ({counted(events, 'event')} in {seconds:.1f} s)"
    if wrong := [report for report in reports if not report.is_right]:
        names = ", ".join(f"{report.part} {report.name}" for report in wrong[:3])
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return f"WRONG: {names}{more}, of {extent}."
    left_out = sum(report.exceptions for report in reports)
    except_for = f", except for {counted(left_out, 'dead letter')} that views lack" if left_out else ""
    return f"All is right{except_for}: {extent}."


def _extent(reports: Sequence[Report]) -> str:
    counts = {part: sum(report.part == part for report in reports) for part in ("log", "topic", "view")}
    counts["file"] = sum(report.facts["files"] for report in reports if report.part == "file")
    return ", ".join(counted(count, part) for part, count in counts.items() if count) or "nothing to verify"
