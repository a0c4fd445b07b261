"""Output of runs on the terminal: sentences on standard output; a bar never mixes with them."""

import pytest

from deploy.console.output import ConsoleOutput


def test_sentences_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    out = ConsoleOutput()
    out.show_progress("log todo.tasks", 1, 2, "events")
    out.say("[1] of task-[2] is done", "good")
    out.show_progress("log todo.tasks", 2, 2, "events")
    out.show_progress("view todo.tasks", 1, 2, "rows")
    out.close()
    out.close()

    assert capsys.readouterr().out == "[1] of task-[2] is done\n"
