"""Dead letters as text: the name alone in its line, the error, the counts."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from deploy.operations.dead_letters.listing import print_dead_letters, whole
from schemas.system import ContextName
from streams.subscriptions.dead_letters import DeadLetter

NOW = datetime(2030, 1, 1, tzinfo=UTC)
PARKED = DeadLetter(
    id=1, subscription="todo.tasks", context=ContextName("todo", "tasks"), partition=0, origin="log@7", position=7,
    stream="task-[1]", type="TaskAdded", state="parked", error="ZeroDivisionError", traceback=None, attempts=5, deaths=0,
    parked_at=NOW - timedelta(minutes=5), due_at=None, key=b"k", value=b"\xff", headers=(("ce_id", b"1"),), edited=None,
)  # fmt: skip


def printed(*dead_letters: DeadLetter) -> list[str]:
    out = io.StringIO()
    print_dead_letters(list(map(whole, dead_letters)), Console(file=out, highlight=False, soft_wrap=True), NOW)
    return out.getvalue().splitlines()


def test_each_has_its_name_its_state_and_its_error() -> None:
    waiting = replace(PARKED, position=8, state="waiting", error=None, attempts=0)
    foreign = replace(PARKED, position=None, origin="caudal.todo.tasks.events/1@3", stream=None, type=None)

    assert printed(PARKED, waiting, foreign) == [
        "todo.tasks/tasks@7",
        "  TaskAdded of task-[1]: parked, 5 min ago, 5 attempts",
        "  ZeroDivisionError",
        "todo.tasks/tasks@8",
        "  TaskAdded of task-[1]: waiting, 5 min ago",
        "  waits behind another of its stream",
        "todo.tasks/caudal.todo.tasks.events/1@3",
        "  a record that is not an event: parked, 5 min ago, 5 attempts",
        "  ZeroDivisionError",
        "3 dead letters: 2 parked, 1 waiting",
        "Records on topics that are no commands: caudal dead-letters records",
    ]
    assert printed()[0] == "0 dead letters"


def test_bytes_that_are_not_text_are_shown_as_escapes() -> None:
    content = whole(PARKED)

    assert (content.key, content.value, content.headers) == ("k", "\\xff", {"ce_id": "1"})
