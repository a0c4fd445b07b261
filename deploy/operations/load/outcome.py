"""Results of a load."""

from dataclasses import dataclass, field

from rich.console import Console

from deploy.operations.load.record import Record

_MAX_PROBLEMS = 50


@dataclass(slots=True)
class Outcome:
    """Results of the records so far."""

    accepted: int = 0
    known: int = 0
    """Commands that were accepted before."""
    failed: int = 0
    _problems: list[tuple[int, str]] = field(default_factory=list)

    def reject(self, record: Record, why: str) -> None:
        """Counts a record as failed."""
        self.failed += 1
        if len(self._problems) < _MAX_PROBLEMS:
            self._problems.append((record.number, f"{record.place}: {why}"))

    @property
    def finished(self) -> int:
        """Records with a final result."""
        return self.accepted + self.known + self.failed

    def print_problems(self, console: Console) -> None:
        """Prints the first problems, in the order of the records."""
        for _, problem in sorted(self._problems):
            console.print(problem, style="red", markup=False, soft_wrap=True)
        if self.failed > len(self._problems):
            console.print(f"… and {self.failed - len(self._problems)} more", style="red")

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.known} there already, {self.failed} failed"
