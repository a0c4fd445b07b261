"""Queries that cannot work are rejected when the process starts, with the path and the field."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, JsonValue

from query_api.queries.checks import check
from query_api.queries.query import Query
from query_api.queries.question import Question
from schemas.catalog import Catalog
from schemas.engine import SYSTEM as ENGINE
from schemas.engine.saga_views import SagaLogs
from schemas.errors import Misconfigured
from schemas.sensitive import Encrypted
from schemas.system import Context, System
from schemas.view import View


class Items(View, name="items", context="stock", key="item_id", subject="owner"):
    """The items on stock."""

    item_id: UUID
    owner: str | None = None
    shelf: str | None = None
    note: Encrypted = None
    parts: list[JsonValue] = []


class Stray(View, name="strays", context="stock", key="stray_id"):
    """A view that no system declares."""

    stray_id: UUID


class Shown(BaseModel):
    """The shape of an item in answers."""

    shelf: str | None


def shown(row: Any) -> Shown:
    return Shown(shelf=row["shelf"])


def untyped(row):  # type: ignore[no-untyped-def]
    return row


async def handler(context: Any) -> Any:
    raise NotImplementedError


CATALOG = Catalog.of([System("shop", (Context("stock"),), (Items,)), ENGINE])


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        (Query("/strays", Stray, ""), "view: Stray is not a view of shop"),
        (Query("items", Items, ""), "path: it must begin with a slash"),
        (Query("/items/{id}", Items, "", key="item_id"), r"key: the path has no parameter \{item_id\}"),
        (Query("/items/{id}", Items, ""), r"path: the parameter \{id\} selects nothing"),
        (Query("/shelves", Items, "", where="shelf"), r"where: the path has no parameter \{shelf\}"),
        (Query("/shelves/{rack}", Items, "", where="rack"), "where: Items has no field rack"),
        (Query("/notes/{note}", Items, "", where="note"), "where: the field note is encrypted"),
        (Query("/parts/{parts}", Items, "", where="parts"), "where: the field parts holds JSON or a list"),
        (Query("/{shelf}/{id}", Items, "", key="id", where="shelf"), "where: a query with a key reads one row"),
        (Query("/items", Items, "", shape=untyped), "shape: the function untyped does not say which model it returns"),
        (Query("/items/{id:nothing}", Items, ""), "cannot be read"),
        (Query("/items", Items, "", handler=handler, is_page=False), "is_page: an answer from all rows is no list"),
        (Query("/items", Items, "", reply=Shown), "reply: only a handler without a key"),
        (Query("/items/{id}", Items, "", key="id", handler=handler, reply=Shown), "reply: only a handler without a key"),
    ],
)
def test_a_query_that_cannot_work_is_rejected_with_its_path_and_field(query: Query, problem: str) -> None:
    with pytest.raises(Misconfigured, match=problem) as raised:
        check(CATALOG, {"shop": (query,)})

    assert query.path in raised.value.detail


def test_queries_that_work_are_accepted() -> None:
    queries = (
        Query("/items", Items, "", shape=shown),
        Query("/items/{id}", Items, "", key="id", shape=Shown),
        Query("/items/{owner}/{shelf:path}", Items, "", where=("owner", "shelf")),
        Query("/anything/{here}", Items, "", handler=handler),
        Query("/counted", Items, "", handler=handler, reply=Shown),
        Query("/sagas/of/the/shop", SagaLogs, "", handler=handler),
    )

    check(CATALOG, {"shop": queries})

    assert [query.model for query in queries] == [Shown, Shown, Items, Items, Items, SagaLogs]


@pytest.mark.parametrize(
    ("path", "problem"),
    [("/views/x", "the engine has /views itself"), ("weather", "begin with a slash"), ("/items/{id}", "has no parameters")],
)
def test_a_question_has_a_path_of_its_own(path: str, problem: str) -> None:
    with pytest.raises(Misconfigured, match=problem):
        check(CATALOG, {"shop": (Question(path, handler, Shown, ""),)})
    with pytest.raises(Misconfigured, match="is a path of shop too: change one"):
        check(CATALOG, {"shop": (Query("/items", Items, ""), Question("/items", handler, Shown, ""))})


def test_two_queries_need_two_paths() -> None:
    query = Query("/items", Items, "")

    with pytest.raises(Misconfigured, match="is a path of shop too: change one"):
        check(CATALOG, {"shop": (query, query)})


@pytest.mark.parametrize("declared", [Query("/items", Items, ""), ["/items"], ("/items",)])
def test_queries_are_a_tuple_of_queries(declared: Any) -> None:
    with pytest.raises(Misconfigured, match="the QUERIES of shop"):
        check(CATALOG, {"shop": declared})
