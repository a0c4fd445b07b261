"""Reports on one log, topic or view each, or on the files of one context."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from deploy.console.printing import counted
from deploy.operations.run import Run

Part = Literal["log", "topic", "view", "file"]
_MAX_SAID = 10


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


def say_report(report: Report, run: Run) -> None:
    """Says what was found in one part."""
    name = f"{report.part} {report.name}: {counted(report.events, 'event')}"
    if report.is_right:
        run.say(f"✓ {name}, {report.summary}", "good")
    else:
        run.say(f"✗ {name}, {report.found:,} wrong", "bad")
        for finding in report.findings[:_MAX_SAID]:
            run.say(
                "  " + " ".join(str(value) if name == "what" else f"{name} {value}" for name, value in finding.items()), "bad"
            )
        if report.found > _MAX_SAID:
            run.say(f"  … and {report.found - min(_MAX_SAID, len(report.findings)):,} more", "bad")
    for note in (*report.unverified, *report.notes):
        run.say(f"  note: {note}", "warning")
    if report.repaired is not None:
        run.say(f"  repaired: {report.repaired}", "good")


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
