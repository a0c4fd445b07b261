"""Declared queries answer with a row, or with a page of rows, in their shape."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.datastructures import QueryParams

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import Page
from schemas.view import View


class Items(View, name="items", context="stock", key="item_id"):
    """The items on stock."""

    item_id: str
    shelf: str | None = None
    count: int = 0


class Short(BaseModel):
    """An item in short."""

    shelf: str | None


class Label(BaseModel):
    """An item's label."""

    text: str


def label(row: Any) -> Label:
    return Label(text=f"{row['item_id']} x {row['count']}")


ROW = {"item_id": "nut", "shelf": "a/b", "count": 3}


class Views:
    """Views with one row; they record what was read."""

    def __init__(self) -> None:
        self.read: list[object] = []
        self.limits: list[int] = []
        self.rows: list[Any] = [ROW]

    async def row(self, request: object, view: type[View], key: str) -> Any:
        self.read.append((view, key))
        return ROW

    async def page(self, request: object, view: type[View], *fixed: tuple[str, str], limit: int = 100, translated: Any) -> Page:
        self.translated = translated
        self.read.append((view, *fixed))
        self.limits.append(limit)
        return Page(self.rows, "next")


def context(path: str = "/items", *, parameters: str = "limit=1", **path_parameters: str) -> QueryContext:
    request = SimpleNamespace(path_params=path_parameters, scope={"path": path}, query_params=QueryParams(parameters))
    return QueryContext(request, Views(), None, {}, None, None)  # type: ignore[arg-type]


def read(asked: QueryContext) -> list[object]:
    assert isinstance(asked.views, Views)
    return asked.views.read


async def test_a_query_with_a_key_answers_with_its_row() -> None:
    asked = context(id="nut")

    answer = await Query("/items/{id}", Items, "", key="id").answer(asked)

    assert answer == Answer(ROW)
    assert read(asked) == [(Items, "nut")]


async def test_a_query_without_a_key_answers_with_a_page_and_the_link_to_the_next() -> None:
    asked = context("/items/ana/a/b", owner="ana", shelf="a/b")

    answer = await Query("/items/{owner}/{shelf:path}", Items, "", where=("owner", "shelf")).answer(asked)

    assert answer == Answer([ROW], {"Link": '</items/ana/a/b?limit=1&after=next>; rel="next"'})
    assert read(asked) == [(Items, ("owner", "ana"), ("shelf", "a/b"))]


async def test_a_page_has_as_many_rows_as_the_query_says() -> None:
    usual, longer = context(), context()
    await Query("/items", Items, "").answer(usual)
    await Query("/items", Items, "", limit=1000).answer(longer)

    assert [one.views.limits for one in (usual, longer)] == [[100], [1000]]  # type: ignore[attr-defined]


async def test_rows_are_shown_in_the_shape_of_the_query() -> None:
    by_function = await Query("/items", Items, "", shape=label).answer(context())
    by_model = await Query("/items/{id}", Items, "", key="id", shape=Short).answer(context(id="nut"))

    assert by_function.body == [Label(text="nut x 3")]
    assert by_model.body == Short(shelf="a/b")


@pytest.mark.parametrize(
    ("rows", "parameters", "body"),
    [
        ([], "", Label(text="nothing")),
        ([ROW], "", [ROW]),
        ([], "shelf=z", []),
        ([], "after=next", []),
    ],
)
async def test_an_empty_list_may_have_an_answer_of_its_own(rows: list[Any], parameters: str, body: object) -> None:
    asked = context(parameters=parameters)
    asked.views.rows = rows  # type: ignore[attr-defined]

    assert (await Query("/items", Items, "", empty=Label(text="nothing")).answer(asked)).body == body


async def test_a_handler_answers_in_the_place_of_the_engine() -> None:
    async def handler(asked: QueryContext) -> Answer:
        return Answer(asked.path_parameter("id"))

    asked = context(id="nut")
    answer = await Query("/items/{id}", Items, "", key="id", handler=handler).answer(asked)

    assert answer == Answer("nut")
    assert read(asked) == []


async def test_a_page_passes_the_words_of_its_clients_on() -> None:
    asked = context()
    words = {"estado": {"A": (("shelf", "a"),)}}

    await Query("/items", Items, "All.", words=words).answer(asked)

    translated = asked.views.translated  # type: ignore[attr-defined]
    assert (translated("estado", "a"), translated("shelf", "a")) == ((("shelf", "a"),), None)
