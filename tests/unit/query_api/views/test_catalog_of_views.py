"""Reads of views: access first, then the consistency token, then the rows of the caller."""

from typing import Any

import pytest

from query_api.views.catalog_of_views import Views, summary_of
from query_api.views.page_request import Owner, PageRequest
from query_api.views.paging import Page
from schemas.access import Access, Caller, RowAccess
from schemas.catalog import Catalog
from schemas.consistency_token import ConsistencyToken
from schemas.errors import Forbidden, Malformed, NotFound, NotYetSeen, Unauthenticated
from schemas.system import Context, ContextName, System
from schemas.view import View
from streams.database.pools import Databases
from streams.installation import Installation
from streams.security.access_control import AccessControl
from streams.settings import Settings
from tests.unit.query_api.asking import request_of


class Task(
    View, name="tasks", context="board", key="task_id", access=Access.to("member"), rows=RowAccess(owners=("assignee",))
):
    """A task on the board.

    It has an assignee.
    """

    task_id: str
    assignee: str | None = None


class Secret(View, name="secrets", context="board", key="secret_id", own_paths_only=True):
    """A view with paths of its own."""

    secret_id: str


CATALOG = Catalog.of([System("shop", (Context("board"),), (Task, Secret))])
BOARD = ContextName("shop", "board")
ANA, EVA = Caller("ana", frozenset({"member"})), Caller("eva", frozenset({"member"}))
ROWS = [{"task_id": str(n), "assignee": "ana"} for n in range(3)]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The steps of a read, in the place of the database."""
    steps: list[Any] = []

    async def until_seen(_: object, token: ConsistencyToken, seconds: float | None = None) -> int:
        if seconds is None:  # the look before the read, and not the one after it
            steps.append(token)
        if token.position > 100:
            raise NotYetSeen("not yet")
        return 0

    async def get(_: object, key: str) -> Any:
        steps.append(key)
        return {row["task_id"]: row for row in ROWS}.get(key)

    async def page(_: object, request: PageRequest) -> Page:
        steps.append(request)
        begin = int(request.after or 0)
        return Page(ROWS[begin : begin + 2], "2" if begin == 0 else None)

    monkeypatch.setattr("query_api.views.consistency.ConsistencyWaiter.until_seen", until_seen)
    monkeypatch.setattr("query_api.views.reader.ViewReader.get", get)
    monkeypatch.setattr("query_api.views.reader.ViewReader.page", page)
    return steps


@pytest.fixture
def views() -> Views:
    installation = Installation(Settings(), CATALOG, Databases("caudal_reader", 1))
    return Views(installation, AccessControl(installation))


def test_a_view_is_found_by_its_name_unless_it_has_paths_of_its_own(views: Views) -> None:
    assert views.named("shop", "tasks") is Task
    for name in ("nothing", "secrets"):
        with pytest.raises(NotFound):
            views.named("shop", name)
    assert [one.name for one in views] == ["shop.tasks", "shop.secrets"]
    assert summary_of(Task) == "A task on the board."


@pytest.mark.parametrize(("caller", "error"), [(None, Unauthenticated), (Caller("bob"), Forbidden)])
async def test_access_comes_before_everything_else(
    views: Views, steps: list[Any], caller: Caller | None, error: type[Exception]
) -> None:
    request = request_of(caller=caller, consistency_token="nonsense")
    reads = views.row(request, Task, "1"), views.page(request, Task), views.all_rows(request, Task, views.token(BOARD, "s", 1))

    for read in reads:
        with pytest.raises(error):
            await read
    assert steps == []


async def test_a_read_waits_for_its_token(views: Views, steps: list[Any]) -> None:
    await views.row(request_of(caller=ANA, consistency_token="shop.board/3@7"), Task, "1")

    assert steps == [ConsistencyToken(BOARD, 3, 7), "1"]


@pytest.mark.parametrize(
    ("token", "error"),
    [("nonsense", Malformed), ("shop.board/9@1", Malformed), ("shop.nothing/0@1", NotFound), ("shop.board/0@101", NotYetSeen)],
)
async def test_a_token_that_cannot_be_waited_for_is_an_error(
    views: Views, steps: list[Any], token: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await views.page(request_of(caller=ANA, consistency_token=token), Task)


async def test_a_row_of_somebody_else_is_not_found(views: Views, steps: list[Any]) -> None:
    assert await views.row(request_of(caller=ANA), Task, "1") == ROWS[1]
    for caller, key in ((EVA, "1"), (ANA, "7")):
        with pytest.raises(NotFound, match=f"the view tasks has no row '{key}'"):
            await views.row(request_of(caller=caller), Task, key)


async def test_a_page_has_the_callers_rows_by_the_request_and_fixed_filters(views: Views, steps: list[Any]) -> None:
    page = await views.page(request_of("/tasks", "limit=2", ANA), Task, ("assignee", "ana"))

    assert page == Page(ROWS[:2], "2")
    (asked,) = steps
    assert (asked.limit, asked.owner) == (2, Owner(("assignee",), "ana"))
    assert asked.filters == (("assignee", "eq", "ana"),)


async def test_all_rows_are_read_page_by_page_once_the_write_is_seen(views: Views, steps: list[Any]) -> None:
    request = request_of("/tasks", "limit=1", ANA, consistency_token="shop.board/0@101")
    rows = await views.all_rows(request, Task, ConsistencyToken(BOARD, 0, 5), ("assignee", "ana"))

    assert rows == ROWS
    seen, *pages = steps
    assert seen == ConsistencyToken(BOARD, 0, 5)
    assert [(page.limit, page.after) for page in pages] == [(1000, None), (1000, "2")]


async def test_all_rows_are_read_once_the_write_of_the_requests_token_is_seen(views: Views, steps: list[Any]) -> None:
    await views.all_rows(request_of(caller=ANA, consistency_token="shop.board/3@7"), Task, None)

    assert steps[0] == ConsistencyToken(BOARD, 3, 7)


def test_a_token_names_the_partition_of_a_stream(views: Views) -> None:
    token = views.token(BOARD, "task-1", 12)

    assert (token.context, token.position) == (BOARD, 12)
    assert 0 <= token.partition < 4
