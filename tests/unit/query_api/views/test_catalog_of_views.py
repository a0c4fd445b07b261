"""Reads of views: access first, then the consistency token, then the rows of the caller."""

from typing import Any

import pytest

from query_api.views.catalog_of_views import Views, summary_of
from query_api.views.consistency import Wait
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
from streams.subscriptions.checkpoints import ControlState
from tests.unit.query_api.asking import request_of


class Task(
    View, name="tasks", context="board", key="task_id", access=Access.to("member"), rows=RowAccess(owners=("assignee",))
):
    """A task on the board.

    It has an assignee.
    """

    task_id: str
    assignee: str | None = None


class Poster(View, name="posters", context="board", key="poster_id", rows=RowAccess(owners=("author",), open_rows=True)):
    """A poster, which every caller may see where what declares no access is open."""

    poster_id: str
    author: str | None = None


class Secret(View, name="secrets", context="board", key="secret_id", own_paths_only=True):
    """A view with paths of its own."""

    secret_id: str


CATALOG = Catalog.of([System("shop", (Context("board"), Context("till")), (Task, Poster, Secret))])
BOARD = ContextName("shop", "board")
ANA, EVA = Caller("ana", frozenset({"member"})), Caller("eva", frozenset({"member"}))
ROWS = [{"task_id": str(n), "assignee": "ana"} for n in range(3)]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The steps of a read, in the place of the database."""
    steps: list[Any] = []

    async def until_seen(_: object, wait: Wait, seconds: float | None = None) -> list[int]:
        if seconds is None:  # the look before the read, and not the one after it
            steps.append(wait)
        if wait.tokens[0].position > 100:
            raise NotYetSeen("not yet")
        return [0]

    async def get(_: object, key: str) -> Any:
        steps.append(key)
        return {row["task_id"]: row for row in ROWS}.get(key)

    async def page(_: object, request: PageRequest) -> Page:
        steps.append(request)
        begin = int(request.after or 0)
        return Page(ROWS[begin : begin + 2], "2" if begin == 0 else None)

    monkeypatch.setattr("query_api.views.consistency.ConsistencyWaiter.until_seen", until_seen)

    async def control_state(_: object) -> ControlState:
        return ControlState(followed={BOARD: frozenset()})

    monkeypatch.setattr("streams.subscriptions.checkpoints.Checkpoints.control_state", control_state)
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
    assert [one.name for one in views] == ["shop.tasks", "shop.posters", "shop.secrets"]
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

    assert steps == [Wait((ConsistencyToken(BOARD, 3, 7),)), "1"]


async def test_a_client_may_prefer_a_short_wait_for_several_tokens(views: Views, steps: list[Any]) -> None:
    tokens, prefer = "shop.board/3@7, shop.board/2@1", "respond-async, Wait=2, handling=lenient"
    await views.row(request_of(caller=ANA, consistency_token=tokens, prefer=prefer), Task, "1")

    assert steps[0] == Wait((ConsistencyToken(BOARD, 3, 7), ConsistencyToken(BOARD, 2, 1)), 2, is_lenient=True)


@pytest.mark.parametrize("prefer", ["waiting=2", "wait=-1", "handling=strict", 'wait="2"', "handling"])
async def test_other_preferences_change_nothing(views: Views, steps: list[Any], prefer: str) -> None:
    await views.row(request_of(caller=ANA, consistency_token="shop.board/3@7", prefer=prefer), Task, "1")

    assert steps[0] == Wait((ConsistencyToken(BOARD, 3, 7),))


async def test_so_many_tokens_are_malformed(views: Views, steps: list[Any]) -> None:
    with pytest.raises(Malformed, match="at most 32"):
        await views.row(request_of(caller=ANA, consistency_token=",".join(["shop.board/3@7"] * 33)), Task, "1")
    assert steps == []


@pytest.mark.parametrize(
    ("token", "error"),
    [("nonsense", Malformed), ("shop.board/9@1", Malformed), ("shop.nothing/0@1", NotFound), ("shop.board/0@101", NotYetSeen)],
)
async def test_a_token_that_cannot_be_waited_for_is_an_error(
    views: Views, steps: list[Any], token: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await views.page(request_of(caller=ANA, consistency_token=token), Task)


@pytest.mark.parametrize(("context", "is_awaited"), [("shop.board", True), ("shop.till", False)])
async def test_one_view_of_several_leaves_other_contexts_tokens_to_the_others(
    views: Views, steps: list[Any], context: str, is_awaited: bool
) -> None:
    request = request_of(caller=ANA, consistency_token=f"{context}/3@7")

    await views.row(request, Task, "1", one_of_several=True)
    await views.page(request, Task, one_of_several=True)

    assert [isinstance(step, Wait) for step in steps] == ([True, False] * 2 if is_awaited else [False] * 2)
    with pytest.raises(Malformed):
        await views.row(request_of(caller=ANA, consistency_token="nonsense"), Task, "1", one_of_several=True)


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


@pytest.mark.parametrize(
    ("settings", "is_open"),
    [
        (Settings(), False),
        (Settings(profile="seed"), True),
        (Settings(access={"view:shop.posters": None}), True),
        (Settings(profile="seed", access={"view:shop.posters": Access()}), False),
    ],
)
async def test_rows_are_open_where_their_view_is(steps: list[Any], settings: Settings, is_open: bool) -> None:
    installation = Installation(settings, CATALOG, Databases("caudal_reader", 1))
    opened = Views(installation, AccessControl(installation))

    if is_open:
        await opened.page(request_of(), Poster)
        assert steps[0].owner is None
        return
    with pytest.raises(Unauthenticated):
        await opened.page(request_of(), Poster)
    await opened.page(request_of(caller=ANA), Poster)
    assert steps[0].owner == Owner(("author",), "ana")


async def test_all_rows_are_read_page_by_page_once_the_write_is_seen(views: Views, steps: list[Any]) -> None:
    request = request_of("/tasks", "limit=1", ANA, consistency_token="shop.board/0@101")
    rows = await views.all_rows(request, Task, ConsistencyToken(BOARD, 0, 5), ("assignee", "ana"))

    assert rows == ROWS
    seen, *pages = steps
    assert seen == Wait((ConsistencyToken(BOARD, 0, 5),))
    assert [(page.limit, page.after) for page in pages] == [(1000, None), (1000, "2")]


async def test_all_rows_are_read_once_the_write_of_the_requests_token_is_seen(views: Views, steps: list[Any]) -> None:
    await views.all_rows(request_of(caller=ANA, consistency_token="shop.board/3@7"), Task, None)

    assert steps[0] == Wait((ConsistencyToken(BOARD, 3, 7),))


def test_a_token_names_the_partition_of_a_stream(views: Views) -> None:
    token = views.token(BOARD, "task-1", 12)

    assert (token.context, token.position) == (BOARD, 12)
    assert 0 <= token.partition < 4
