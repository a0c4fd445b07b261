"""Progress bars: what is done and the rate on a terminal, nothing in a file."""

import io

import pytest
from rich.console import Console

from deploy.console.progress import progress_bar


def shown(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool) -> str:
    clock = iter([100.0, 102.0])
    monkeypatch.setattr("deploy.console.progress.monotonic", lambda: next(clock))
    out = io.StringIO()
    console = Console(file=out, force_terminal=is_terminal, width=100, color_system=None)
    with progress_bar(console, "log todo.tasks", "events") as bar:
        bar.show(1000, 4000)
        bar.show(3000, 4000)
        bar.say("the API asks for a pause")
    return out.getvalue()


def test_a_terminal_shows_the_part_that_is_done_and_the_rate_since_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    said = shown(monkeypatch, is_terminal=True)

    assert "log todo.tasks" in said
    assert "75%" in said
    assert "1,000 events/s" in said


def test_a_file_has_the_sentences_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, is_terminal=False) == "the API asks for a pause\n"


def test_work_that_is_done_at_the_first_look_has_no_rate() -> None:
    out = io.StringIO()
    with progress_bar(Console(file=out, force_terminal=True, width=100, color_system=None), "x", "events") as bar:
        bar.show(7, 7)
    assert "100%" in out.getvalue()
    assert "events/s" not in out.getvalue()


def test_nothing_to_do_is_no_error() -> None:
    out = io.StringIO()
    with progress_bar(Console(file=out, force_terminal=True, width=100, color_system=None), "x", "events") as bar:
        bar.show(0, 0)
    assert "x " in out.getvalue()
