"""`caudal try FILE`: a first program of at most 45 lines runs without a database, a broker or a port."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.authoring.trying import read_time
from deploy.cli import app
from schemas.errors import Malformed

FIRST = '''\
"""A to-do list in one file:  caudal try first.py"""

from typing import Any
from uuid import UUID

from aggregates.decision import Decision, Events
from aggregates.state import State
from aggregates.stream import Stream
from aggregates.system import Domain
from projectors.projection import Projection
from schemas.system import Context, System
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import Rejected
from schemas.message import Command, Event
from schemas.view import View

class AddTask(Command):
    title: str
class FinishTask(Command):
    task_id: UUID
class TaskAdded(Event):
    task_id: UUID
    title: str
class TaskFinished(Event):
    task_id: UUID
class Tasks(View, context="tasks", key="task_id"):
    task_id: UUID
    title: str = ""
    finished: bool = False
class Task(State):
    finished: bool = False

TASK = Stream("task", Task, lambda task, event: Task(finished=isinstance(event, TaskFinished)))
def add_task(command: CommandEnvelope[AddTask]) -> Events:
    yield TaskAdded(task_id=command.id, title=command.data.title)
def finish_task(command: CommandEnvelope[FinishTask], task: Task) -> Events:
    if task.finished:
        raise Rejected("the task is finished already")
    yield TaskFinished(task_id=command.data.task_id)
def task(row: Tasks, event: RecordedEvent[Any]) -> Tasks:
    return row.replace(finished=True) if isinstance(event.data, TaskFinished) else row.replace(title=event.data.title)

SYSTEM = System("todo", (Context("tasks", (AddTask, FinishTask), (TaskAdded, TaskFinished)),), (Tasks,))
DOMAIN = Domain((Decision(AddTask, TASK.create(), add_task), Decision(FinishTask, TASK.change("task_id"), finish_task)))
PROJECTIONS = (Projection(Tasks, task, events=(TaskAdded, TaskFinished)),)
'''
COMMANDS = """\
# A line that is not a command.
add-task title="Buy milk"
finish-task task_id=$last
finish-task {"task_id": "$last"}
add-task title=18446744073709551616
add-task {"title": [18446744073709551616]}
add-task
add-task title
clear-tasks
"""


def tried(*arguments: str) -> tuple[int, str, str]:
    """Runs `caudal try` in this process: exit code, standard output, standard error."""
    result = CliRunner().invoke(app, ["try", *arguments], env={"COLUMNS": "160"})
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def first(tmp_path: Path) -> Path:
    file = tmp_path / "first.py"
    file.write_text(FIRST)
    return file


def test_a_first_program_is_short() -> None:
    assert len(FIRST.splitlines()) <= 45


def test_events_and_rows_are_printed_as_they_come(first: Path, tmp_path: Path) -> None:
    commands = tmp_path / "commands"
    commands.write_text(COMMANDS)

    code, out, err = tried(str(first), str(commands))

    lines = [line for line in out.splitlines() if line.startswith("  ")]
    assert (code, err) == (1, ""), "some commands were rejected"
    assert lines[0].startswith("  TaskAdded task-")
    assert lines[1].startswith("  tasks  ")
    assert lines[2].startswith("  TaskFinished task-")
    assert lines[3].endswith('"title":"Buy milk","finished":true}')
    assert lines[4:] == [
        "  finish-task rejected: the task is finished already",
        "  title is a number out of range: integers have 64 bits",
        "  the fields cannot be read: /title/0 is a number out of range: integers have 64 bits",
        "  add-task takes title (title: Field required)",
        "  write fields as name=value, not 'title'",
        "  there is no command 'clear-tasks'; there are add-task, finish-task",
    ]


async def test_commands_come_from_standard_input_too(first: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "try", str(first)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(b"add-task title=Milk\n")

    assert process.returncode == 0
    assert b'"title":"Milk"' in out


def test_help_lists_the_commands_and_exit_ends(first: Path, tmp_path: Path) -> None:
    commands = tmp_path / "commands"
    commands.write_text("help\nexit\nadd-task title=Milk\n")

    code, out, err = tried(str(first), str(commands))

    assert (code, err) == (0, "")
    assert "  add-task title=…\n  finish-task task_id=…\n" in out
    assert "Milk" not in out


def test_a_fault_of_a_projection_is_one_line_with_its_place(first: Path, tmp_path: Path) -> None:
    first.write_text(
        FIRST.replace("return row.replace(finished=True)", "return {}['oops']").replace("TaskFinished) else", "TaskAdded) else")
    )
    commands = tmp_path / "commands"
    commands.write_text("add-task title=Milk\n")

    code, out, err = tried(str(first), str(commands))

    line = 1 + FIRST.splitlines().index("def task(row: Tasks, event: RecordedEvent[Any]) -> Tasks:") + 1
    assert (code, err) == (1, "")
    assert out.splitlines()[1:] == [f"  {first}:{line}: KeyError: 'oops'"]


@pytest.mark.parametrize(
    ("written", "wrong", "said"),
    [
        ("SYSTEM = ", "system = ", "declares no SYSTEM: add SYSTEM = System("),
        ("events=(TaskAdded, TaskFinished)),)", "events=(TaskAdded, TaskFinished)))", "PROJECTIONS is not a tuple: is a comma"),
        ("TASK.create()", "TASK.make()", "AttributeError: 'Stream' object has no attribute 'make'"),
        ('TASK.change("task_id")', 'TASK.change("task")', "task"),
    ],
)
def test_a_mistake_in_the_file_is_one_line(first: Path, written: str, wrong: str, said: str) -> None:
    first.write_text(FIRST.replace(written, wrong))

    code, _, err = tried(str(first))

    assert (code, "Traceback" in err) == (1, False), err
    assert said in err


def test_a_system_that_is_not_there_is_named(first: Path) -> None:
    code, _, err = tried("nothing")
    assert (code, "nothing is no file and no installed system; installed are" in err) == (1, True), err

    code, _, err = tried("nothing.py")
    assert (code, "there is no file nothing.py" in err) == (1, True), err


def test_a_time_has_a_number_and_a_unit() -> None:
    assert [read_time(text) for text in ("90s", "15m", " 2h ", "7d")] == [
        timedelta(seconds=90), timedelta(minutes=15), timedelta(hours=2), timedelta(days=7),
    ]  # fmt: skip
    for text in ("", "7", "d", "1.5h", "-1d", "7 days", "9999999d"):
        with pytest.raises(Malformed, match=r"write \$wait with a time"):
            read_time(text)
