"""Operations of the OpenAPI document: filters, paging and errors."""

from typing import Literal

from pydantic import BaseModel

from query_api.http.operations import live_view_operation, page_operation, row_operation
from schemas.access import Access, RowAccess
from schemas.errors import Rejected
from schemas.sensitive import Encrypted
from schemas.view import View
from streams.http.documentation import schema_of


class Task(View, name="tasks", context="board", key="task_id", rows=RowAccess(owners=("assignee",)), subject="assignee"):
    """A task on the board."""

    task_id: str
    assignee: str | None = None
    status: Literal["open", "done"] = "open"
    tags: dict[str, str] | None = None
    note: Encrypted = None


class Poster(View, name="posters", context="board", key="poster_id", rows=RowAccess(owners=("author",), open_rows=True)):
    """A poster."""

    poster_id: str
    author: str | None = None


class Board(View, name="boards", context="board", key="board_id", access=Access.to("member")):
    """A board."""

    board_id: str


def test_a_page_has_filters_of_the_columns_that_can_be_filtered_by() -> None:
    operation = page_operation("tasks", "shop", "tasks", Task, ("assignee",), Task, access=Task.view_access)

    parameters = {one["name"]: one for one in operation["parameters"]}
    assert list(parameters) == ["assignee", "sort", "limit", "after", "task_id", "status", "Consistency-Token", "Prefer"]
    assert (parameters["assignee"]["in"], parameters["assignee"]["required"]) == ("path", True)
    assert parameters["status"]["schema"]["enum"] == ["open", "done"]
    assert operation["description"] == "A task on the board."


def test_each_operation_says_who_may_use_it() -> None:
    page, row = (
        page_operation("a", "shop", "a", Board, (), Board, access=Board.view_access),
        row_operation("b", "shop", "b", Board, ("key",), Board, access=Board.view_access),
    )
    live = live_view_operation("c", "shop", "c", Board, Board.view_access)

    assert page["security"] == row["security"] == live["security"] == [{"token": ["member"]}]
    assert live_view_operation("d", "shop", "d", Task, Task.view_access)["security"] == [{"token": []}], "its rows have owners"
    assert "security" not in live_view_operation("e", "shop", "e", Poster, Poster.view_access), "its rows are open as it is"


def test_a_page_may_be_answered_in_another_model_than_a_list() -> None:
    class Tasks(BaseModel):
        tasks: list[Task]

    operation = page_operation("tasks", "shop", "tasks", Task, (), Task, access=None, reply=Tasks)

    assert operation["responses"]["200"]["content"] == {"application/json": {"schema": schema_of(Tasks)}}


def test_errors_are_problem_documents() -> None:
    responses = row_operation("b", "shop", "b", Board, ("key",), Board, access=Board.view_access)["responses"]

    assert responses.keys() == {"200", *map(str, (400, 401, 403, 404, 408, 421, 422, 429, 431, 500, 503))}
    assert "application/problem+json" in responses["503"]["content"]


def test_rejections_of_a_system_are_stated_beside_the_engines_errors() -> None:
    class TaskGone(Rejected):
        """The task is gone."""

        kind = "task_gone"

    page = page_operation("a", "shop", "a", Board, (), Board, access=None, rejections=(TaskGone,))
    row = row_operation("b", "shop", "b", Board, ("key",), Board, access=None, rejections=(TaskGone,))

    for operation in (page, row):
        assert "`urn:caudal:problem:task-gone`: The task is gone." in operation["responses"]["422"]["description"]
