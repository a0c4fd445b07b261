"""Output of runs on the terminal: sentences, and a progress bar below them."""

from collections.abc import Mapping
from contextlib import ExitStack

from rich.console import Console

from deploy.console.printing import lines
from deploy.console.progress import ProgressBar, progress_bar

_STYLES: Mapping[str, str] = {"plain": "", "good": "green", "warning": "yellow", "bad": "red"}


class ConsoleOutput:
    """Prints what runs say; bars go to standard error."""

    def __init__(self) -> None:
        self._lines, self._open = lines(), ExitStack()
        self._bar: tuple[str, ProgressBar] | None = None

    def say(self, text: str, style: str) -> None:
        """Prints a sentence."""
        self.close()
        self._lines.print(text, style=_STYLES[style], markup=False)

    def show_progress(self, what: str, done: int, total: int, unit: str) -> None:
        """Shows how much is done, in a bar for each thing."""
        if self._bar is None or self._bar[0] != what:
            self.close()
            self._bar = what, self._open.enter_context(progress_bar(Console(stderr=True), what, unit))
        self._bar[1].show(done, total)

    def close(self) -> None:
        """Removes the bar, if there is one."""
        self._open.close()
        self._bar = None
