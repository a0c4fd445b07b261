"""Progress bars on terminals: one form for every command that takes long. Nothing is shown in a file or a pipe."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class ProgressBar:
    """A bar with its name, the part that is done, a rate, and the time that is left."""

    def __init__(self, progress: Progress, name: str, unit: str) -> None:
        self._progress, self._unit = progress, unit
        self._task = progress.add_task(name, total=None, rate="")
        self._began: tuple[float, int] | None = None

    def show(self, done: int, total: int) -> None:
        """Shows how much is done and, from the second call on, the rate since the first one, in units a second."""
        self._progress.update(self._task, completed=done, total=max(total, 1), rate=self._rate(done))

    def _rate(self, done: int) -> str:
        if self._began is None:
            self._began = monotonic(), done
            return ""
        began, first = self._began
        return f"{(done - first) / max(monotonic() - began, 0.001):,.0f} {self._unit}/s"

    def say(self, what: str) -> None:
        """Prints a sentence above the bar."""
        self._progress.console.print(what, style="yellow", markup=False, soft_wrap=True)


@contextmanager
def progress_bar(console: Console, name: str, unit: str) -> Iterator[ProgressBar]:
    """Shows a bar until the work ends; ``unit`` is the plural of what is counted."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal) as shown:
        yield ProgressBar(shown, name, unit)
