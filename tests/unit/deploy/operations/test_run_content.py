"""The content of a run: what it said so far, and how it ended."""

from datetime import UTC, datetime

import pytest

from deploy.operations.run import Result
from deploy.operations.run_content import Line, Progress, RunContent, RunRecorder

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def recorder() -> tuple[RunRecorder, list[str]]:
    content = RunContent(id="1", operation="numbers/count", parameters={}, actor="ana", is_applied=True, began_at=NOW)
    changes: list[str] = []
    return RunRecorder(content, lambda: changes.append(content.state)), changes


def test_each_change_is_kept_and_called_back() -> None:
    kept, changes = recorder()

    kept.say("It begins.", "plain")
    kept.show_progress("counting", 1, 2, "numbers")

    assert kept.content.lines == [Line("It begins.", "plain")]
    assert kept.content.progress == Progress("counting", 1, 2, "numbers")
    assert changes == ["running", "running"]


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (Result(), "done"),
        (Result("1 is open"), "incomplete"),
        (Result(is_planned=True), "planned"),
    ],
)
def test_the_end_shows_in_the_state(result: Result, state: str) -> None:
    kept, changes = recorder()
    kept.show_progress("counting", 1, 2, "numbers")

    kept.end(result)

    assert (kept.content.state, kept.content.problem, kept.content.progress) == (state, result.remaining, None)
    assert kept.content.ended_at is not None
    assert changes[-1] == state


def test_a_failure_names_its_problem() -> None:
    kept, _ = recorder()

    kept.fail("no database")

    assert (kept.content.state, kept.content.problem) == ("failed", "no database")
