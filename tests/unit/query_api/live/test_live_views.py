"""Live views: what a caller may read of each, and until when."""

import time
from types import SimpleNamespace
from typing import Any

import pytest

from query_api.live.feed import Feed, LiveQuery
from query_api.live.limits import ConnectionLimit
from query_api.live.live_views import LiveViews
from query_api.views.row_access import RowAccessControl
from schemas.access import Caller, RowAccess
from schemas.errors import Unauthenticated
from schemas.view import View
from tests.unit.query_api.asking import request_of


class Task(View, name="tasks", context="board", key="task_id", rows=RowAccess(owners=("assignee",))):
    """A task."""

    task_id: str
    assignee: str | None = None


class Views:
    """One view that every caller may open."""

    opened_view = SimpleNamespace(view=Task, reader=None, row_access=RowAccessControl(Task, None, is_open=False))  # type: ignore[arg-type]

    def __iter__(self) -> Any:
        return iter([self.opened_view])

    async def opened(self, request: object, view: type[View]) -> Any:
        return self.opened_view


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[LiveQuery]:
    queries: list[LiveQuery] = []

    async def follow(_: object, request: object, query: LiveQuery) -> None:
        queries.append(query)

    monkeypatch.setattr(Feed, "follow", follow)
    return queries


LIVE = LiveViews(ConnectionLimit(10), Views())  # type: ignore[arg-type]


async def test_a_caller_gets_the_rows_that_they_may_read_until_their_token_expires(queries: list[LiveQuery]) -> None:
    expires_at = time.time() + 60
    await LIVE.follow(request_of(caller=Caller("ana", expires_at=expires_at)), Task)

    (query,) = queries
    assert (query.caller, query.until) == ("ana", expires_at)
    mine, other = {"task_id": "1", "assignee": "ana"}, {"task_id": "2", "assignee": "eva"}
    assert await query.show([mine, other]) == [mine]


async def test_a_view_whose_rows_have_owners_needs_a_caller(queries: list[LiveQuery]) -> None:
    with pytest.raises(Unauthenticated):
        await LIVE.follow(request_of(), Task)
    assert queries == []
