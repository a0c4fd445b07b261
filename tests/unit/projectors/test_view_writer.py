"""The view writer: which statements it runs for the rows that events add, change and delete."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from aggregates.scenario import recorded
from projectors.projection import Projection
from projectors.view_writer import ViewWriter
from schemas.errors import Conflict, Misconfigured
from schemas.message import Event
from schemas.system import ContextName
from schemas.view import View
from streams.subscriptions.checkpoints import Checkpoint, Move

CONTEXT = ContextName("todo", "tasks")


class Changed(Event, name="Changed"):
    task_id: UUID
    title: str | None = None


class Tasks(View, name="tasks", context="tasks", key="task_id"):
    task_id: UUID
    title: str | None = None


def task(row: Tasks, event: Any) -> Tasks | None:
    return None if event.data.title is None else row.replace(title=event.data.title)


class FakeConnection:
    """Keeps the statements that run, and answers with rows that a test has put there."""

    def __init__(self, *rows: dict[str, Any], inserts: bool = True) -> None:
        self.rows, self.inserts = rows, inserts
        self.ran: list[tuple[str, Any]] = []

    async def fetch(self, sql: str, argument: Any) -> Any:
        if sql.startswith("INSERT"):
            self.ran.append(("insert", orjson.loads(argument)))
            return orjson.loads(argument) if self.inserts else []
        return self.rows

    async def execute(self, sql: str, *arguments: Any) -> None:
        if sql.startswith("--"):
            self.ran.append(("commit", [orjson.loads(text) for text in arguments[-2:]]))
        elif sql.startswith("UPDATE"):
            self.ran.append(("update", orjson.loads(arguments[0])))
        else:
            self.ran.append(("delete", arguments[0]))


def writer() -> ViewWriter:
    projection = Projection(Tasks, task, events=(Changed,)).of("todo")
    return ViewWriter(projection, projection.table())


async def apply(connection: FakeConnection, *events: Event) -> list[tuple[str, Any]]:
    await writer().apply(connection, [recorded(event) for event in events])
    return connection.ran


async def test_rows_are_added_changed_and_deleted() -> None:
    new, old, gone = uuid4(), uuid4(), uuid4()
    connection = FakeConnection({"task_id": old, "title": "a"}, {"task_id": gone, "title": "b"})

    changes = [(new, "n"), (old, "o"), (gone, None), (old, "p")]
    ran = await apply(connection, *(Changed(task_id=id, title=title) for id, title in changes))

    assert ran == [
        ("insert", [{"task_id": str(new), "title": "n"}]),
        ("update", [{"task_id": str(old), "title": "p"}]),
        ("delete", [gone]),
    ]


async def test_a_row_that_is_added_and_deleted_at_once_is_not_written() -> None:
    id = uuid4()

    assert await apply(FakeConnection(), Changed(task_id=id, title="n"), Changed(task_id=id)) == []


async def test_a_row_that_another_transaction_has_inserted_is_a_conflict() -> None:
    with pytest.raises(Conflict):
        await apply(FakeConnection(inserts=False), Changed(task_id=uuid4(), title="n"))


async def test_a_commit_carries_the_transaction_that_last_changed_each_row() -> None:
    new, old, gone = uuid4(), uuid4(), uuid4()
    rows = ({"task_id": old, "title": "a", "changed_in": 7}, {"task_id": gone, "title": "b", "changed_in": 8})
    connection = FakeConnection(*rows)
    events = (Changed(task_id=new, title="n"), Changed(task_id=old, title="o"), Changed(task_id=gone))

    move = Move(CONTEXT, 0, Checkpoint(1, 0), 4)
    await writer().commit(connection, "todo.tasks", [move], [recorded(event) for event in events])

    ((kind, (changes, deletions)),) = connection.ran
    assert kind == "commit"
    assert sorted(changes, key=lambda row: row["title"]) == [
        {"task_id": str(new), "title": "n", "changed_in": None},
        {"task_id": str(old), "title": "o", "changed_in": 7},
    ]
    assert deletions == [{"task_id": str(gone), "changed_in": 8}]


async def test_something_else_than_a_row_is_an_error_that_names_the_view() -> None:
    projection = Projection(Tasks, lambda row, event: "no row", events=(Changed,)).of("todo")  # type: ignore[arg-type, return-value]
    faulty = ViewWriter(projection, projection.table())

    with pytest.raises(Misconfigured, match="The projection of Tasks returned a str"):
        await faulty.apply(FakeConnection(), [recorded(Changed(task_id=uuid4(), title="n"))])
