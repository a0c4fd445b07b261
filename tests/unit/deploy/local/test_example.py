"""The example call of the first screen: derived from what runs."""

from deploy.local.example import Example, OwnPath, example_body, example_of
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.message import Command
from schemas.system import Context, System
from schemas.view import View


class AddTask(Command, name="add-task"):
    title: str
    list_id: str
    note: str | None = None


class CloseList(Command, name="close-list", access=Access.to("owner")):
    list_id: str


class Tasks(View, name="tasks", context="tasks", key="task_id"):
    task_id: str


class Secrets(View, name="secrets", context="tasks", key="secret_id", access=Access()):
    secret_id: str


TODO = System("todo", (Context("tasks", commands=(CloseList, AddTask)),), views=(Secrets, Tasks))
ZOO = System("zoo", (Context("tasks", commands=(AddTask,)),), views=(Tasks,))
BODY = {"title": "example title", "list_id": "list-1"}


def own(path: str) -> OwnPath:
    return OwnPath(path, AddTask, AddTask.model_json_schema())


def test_without_own_paths_it_is_the_first_command_that_anybody_may_send_and_a_view_that_anybody_may_read() -> None:
    found = example_of(Catalog.of([TODO]), {}, {})

    assert found == Example("todo", "/commands/todo/add-task", BODY, "/views/todo/tasks")


def test_an_own_path_with_a_query_about_its_command_comes_first() -> None:
    paths = {"zoo": [own("/tasks/{id}"), own("/tasks")]}
    queries = {"zoo": [("/all", Tasks), ("/lists/{list_id:path}", Tasks), ("/x/{other}", Tasks)]}

    found = example_of(Catalog.of([TODO, ZOO]), paths, queries)

    assert found == Example("zoo", "/tasks", BODY, "/lists/list-1")


def test_a_query_that_needs_a_token_is_not_shown() -> None:
    found = example_of(Catalog.of([TODO]), {"todo": [own("/tasks")]}, {"todo": [("/secrets", Secrets)]})

    assert found == Example("todo", "/tasks", BODY, None)


def test_a_catalog_without_open_commands_has_no_example() -> None:
    assert example_of(Catalog.of([System("todo", (Context("tasks", commands=(CloseList,)),))]), {}, {}) is None


def test_declared_examples_are_used() -> None:
    assert example_body({**AddTask.model_json_schema(), "examples": [{"title": "x"}]}) == {"title": "x"}
    schema = {"type": "object", "required": ["title"], "properties": {"title": {"type": "string", "examples": ["Buy milk"]}}}
    assert example_body(schema) == {"title": "Buy milk"}
