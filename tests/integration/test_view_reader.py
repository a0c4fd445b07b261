"""Reading of a view on PostgreSQL: filters, pages, owners, changes, and a table of an older version."""

import base64
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import orjson
import pytest

from aggregates.scenario import recorded
from projectors.projection import Projection
from projectors.view_writer import ViewWriter
from query_api.views.page_request import Filter, Order, Owner, PageRequest, parse_page_request
from query_api.views.reader import MAX_PAGE_BYTES, ViewReader
from schemas.envelope import RecordedEvent
from schemas.errors import CaudalError, Invalid, TooCostly, Unavailable, ViewOutdated
from schemas.message import Event
from schemas.sensitive import Encrypted
from schemas.system import ContextName
from schemas.view import View
from streams.database.pools import Databases
from streams.database.store import Store
from streams.database.view_tables import definition, statements, table_of
from tests.conftest import FreshDatabase

STOCK = ContextName("shop", "stock")


class Item(View, name="items", context="stock", key="item_id", subject="owner"):
    """An item on stock."""

    item_id: str
    owner: str | None = None
    keeper: int | None = None
    status: Literal["new", "old"] = "new"
    count: int | None = None
    seen_at: datetime | None = None
    labels: dict[str, str] | None = None
    note: Encrypted = None


class Named(View, name="named", context="stock", key="named_id"):
    """A row with names, which people write in several forms of Unicode."""

    named_id: str
    name: str | None = None
    names: tuple[str, ...] = ()


class LongerItem(View, name="items", context="stock", key="item_id"):
    """The same view in a later version, which has one field more."""

    item_id: str
    color: str | None = None


@pytest.fixture
async def store(fresh_database: FreshDatabase, databases: Databases) -> AsyncIterator[Store]:
    made = Store.of_views(databases, await fresh_database.empty(), STOCK)
    async with made.connection() as connection:
        await connection.execute(f"create schema {made.schema}")
        for statement in definition(table_of(STOCK, Item)):
            await connection.execute(statement)
    yield made


@pytest.fixture
def reader(store: Store) -> ViewReader:
    return ViewReader(store, STOCK, Item)


async def write(store: Store, *items: Item) -> None:
    rows = orjson.dumps([item.model_dump() for item in items]).decode()
    async with store.connection() as connection:
        await connection.fetch(statements(table_of(STOCK, Item)).insert, rows)


def ids(rows: Iterable[Mapping[str, Any]], key: str = "item_id") -> str:
    return "".join(row[key] for row in rows)


ITEMS = (
    Item(item_id="a", owner="ana", keeper=7, count=1, seen_at=datetime(2026, 1, 1, tzinfo=UTC)),
    Item(item_id="b", owner="eva", status="old", count=2),
    Item(item_id="c", owner="ana", count=3, labels={"k": "v"}),
    Item(item_id="d", owner="7", keeper=8),
)


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (Filter("owner", "eq", "ana"), "ac"),
        (Filter("owner", "ne", "ana"), "bd"),
        (Filter("count", "gt", "1"), "bc"),
        (Filter("count", "gte", "2"), "bc"),
        (Filter("count", "lt", "2"), "a"),
        (Filter("count", "lte", "2"), "ab"),
        (Filter("count", "ne", "2"), "acd"),
        (Filter("status", "in", "old,new"), "abcd"),
        (Filter("item_id", "in", "a,d,x"), "ad"),
        (Filter("seen_at", "gte", "2026-01-01T01:00:00+01:00"), "a"),
    ],
)
async def test_filters_compare_in_the_type_of_their_column(
    store: Store, reader: ViewReader, filter: Filter, found: str
) -> None:
    await write(store, *ITEMS)

    page = await reader.page(PageRequest((filter,)))

    assert (ids(page.rows), page.next) == (found, None)
    assert dict(page.rows[0]).keys() == Item.model_fields.keys()


COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


@pytest.mark.parametrize("name", [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize(("operator", "found"), [("eq", "bc"), ("in", "bc"), ("has", "bc"), ("ne", "a"), ("gte", "bc")])
async def test_filters_find_every_spelling_of_a_text(store: Store, name: str, operator: str, found: str) -> None:
    async with store.connection() as connection:
        for statement in definition(table_of(STOCK, Named)):
            await connection.execute(statement)
        named = {"a": "Ana", "b": COMPOSED, "c": COMPOSED}
        rows = [Named(named_id=COMPOSED + id, name=text, names=(text,)).model_dump() for id, text in named.items()]
        await connection.fetch(statements(table_of(STOCK, Named)).insert, orjson.dumps(rows).decode())
    reader = ViewReader(store, STOCK, Named)

    page = await reader.page(PageRequest((Filter("names" if operator == "has" else "name", operator, name),)))

    assert "".join(row["named_id"][-1] for row in page.rows) == found
    assert await reader.get(f"{name}a") is not None


async def test_a_text_that_is_stored_as_it_was_given_is_found_as_it_was_given(store: Store, reader: ViewReader) -> None:
    await write(store, Item(item_id="a", owner=DECOMPOSED))

    assert ids((await reader.page(PageRequest((Filter("owner", "eq", DECOMPOSED),)))).rows) == "a"
    assert ids((await reader.page(PageRequest((Filter("owner", "ne", DECOMPOSED),)))).rows) == ""


@pytest.mark.parametrize("sort", ["", "count", "-count", "owner,-count", "seen_at", "-item_id"])
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_in_any_order_have_each_row_once(store: Store, reader: ViewReader, sort: str, limit: int) -> None:
    await write(store, *ITEMS)
    asked = parse_page_request([("limit", str(limit)), *([("sort", sort)] if sort else [])])

    whole = await reader.page(replace(asked, limit=100))
    found, after = "", None
    while True:
        page = await reader.page(replace(asked, after=after))
        found, after = found + ids(page.rows), page.next
        if after is None:
            break

    assert found == ids(whole.rows)
    assert sorted(found) == list("abcd")


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (PageRequest((Filter("nothing", "eq", "x"),)), "'nothing' is not a column of the view items"),
        (PageRequest((Filter("changed_in", "eq", "1"),)), "'changed_in' is not a column"),
        (PageRequest((Filter("labels", "eq", "x"),)), "'labels' holds JSON, which cannot be filtered by"),
        (PageRequest((Filter("owner", "has", "x"),)), "'owner' holds no list"),
        (PageRequest((Filter("note", "eq", "x"),)), "'note' is encrypted"),
        (PageRequest((Filter("count", "eq", str(2**63)),)), "'count' cannot be compared"),
        (PageRequest((Filter("status", "in", "old,foo"),)), "'status' is one of new, old, and never 'foo'"),
        (PageRequest(sort=(Order("labels"),)), "'sort' names labels, which holds JSON"),
        (PageRequest(sort=(Order("note"),)), "names note, which is encrypted"),
        (PageRequest(after="W10"), "'after' is not a cursor of this list"),
    ],
)
async def test_a_request_that_the_view_cannot_serve_is_rejected_with_the_reason(
    reader: ViewReader, request_: PageRequest, problem: str
) -> None:
    with pytest.raises(Invalid, match=problem):
        await reader.page(request_)


async def test_rows_of_an_owner_are_those_that_name_the_owner_in_one_of_the_columns(store: Store, reader: ViewReader) -> None:
    await write(store, *ITEMS)

    assert ids((await reader.page(PageRequest(owner=Owner(("owner", "keeper"), "7")))).rows) == "ad"
    assert ids((await reader.page(PageRequest(owner=Owner(("owner", "keeper"), "07")))).rows) == ""
    assert ids((await reader.page(PageRequest(owner=Owner(("keeper",), "ana")))).rows) == ""


async def test_changes_come_in_the_order_of_their_transactions_and_whole(store: Store, reader: ViewReader) -> None:
    begin = await reader.horizon() - 1
    await write(store, ITEMS[0])
    await write(store, ITEMS[2], ITEMS[1])
    await write(store, ITEMS[3])

    first, at = await reader.changed_after(begin, 2)
    second, then = await reader.changed_after(at, 2)
    third, end = await reader.changed_after(then, 2)

    assert [ids(first), ids(second), ids(third)] == ["a", "bc", "d"]
    assert begin < at < then < end
    assert (await reader.changed_after(end, 2))[0] == []


async def test_a_page_of_large_rows_has_fewer_and_leads_to_the_others(store: Store, reader: ViewReader) -> None:
    begin = await reader.horizon() - 1
    text = base64.b64encode(os.urandom(MAX_PAGE_BYTES // 4)).decode()  # cannot be compressed
    for n in range(7):
        await write(store, Item(item_id=f"{n}", labels={"text": text}))
    await write(store, *(Item(item_id=name, labels={"text": text}) for name in "abcdef"))

    pages, after = list[str](), None
    for _ in range(5):
        page = await reader.page(PageRequest(sort=(Order("item_id", True),), after=after))
        pages, after = [*pages, ids(page.rows)], page.next
    changes, at = list[str](), begin
    for _ in range(4):
        rows, at = await reader.changed_after(at, 100)
        changes.append(ids(rows))

    assert (pages, after) == (["fed", "cba", "654", "321", "0"], None)
    assert set(page.rows[0]) == set(Item.model_fields)
    assert changes == ["01", "23", "45", "6"]
    assert ids((await reader.changed_after(at, 100))[0]) == "abcdef", "one transaction is not cut"


async def test_a_row_is_read_by_its_key(store: Store, reader: ViewReader) -> None:
    await write(store, *ITEMS)

    row = await reader.get("b")

    assert row is not None
    assert Item.model_validate(dict(row)) == ITEMS[1]
    assert await reader.get("x") is None


async def test_a_table_without_a_field_of_the_view_names_the_view_and_the_command(store: Store) -> None:
    longer = ViewReader(store, STOCK, LongerItem)

    for read in (longer.get("a"), longer.page(PageRequest()), longer.changed_after(0, 10)):
        with pytest.raises(
            ViewOutdated, match=r"shop\.items has another shape than its table: `caudal projections rebuild shop\.items`"
        ):
            await read


async def test_a_view_without_a_table_names_the_view_and_the_command(store: Store) -> None:
    async with store.connection() as connection:
        await connection.execute(f"drop table {store.schema}.items")

    with pytest.raises(ViewOutdated, match="`caudal migrate --recreate-views`"):
        await ViewReader(store, STOCK, Item).get("a")


class Term(View, name="terms", context="stock", key="term_id"):
    """A row with dates and times, of which some are the first and the last ones."""

    term_id: str
    on: date | None = None
    at: datetime | None = None


class Day(View, name="days", context="stock", key="on"):
    """A view whose key is a date."""

    on: date
    count: int = 0


FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TERMS = (
    Term(term_id="a", on=date.min, at=FIRST),
    Term(term_id="b", on=date(2026, 1, 1), at=datetime(2026, 1, 1, tzinfo=UTC)),
    Term(term_id="c", on=date.max, at=LAST),
    Term(term_id="d", on=date.max, at=LAST),
    Term(term_id="e", on=date.max, at=LAST),
    Term(term_id="f"),
)


@pytest.fixture
async def terms(store: Store) -> ViewReader:
    rows = orjson.dumps([term.model_dump() for term in TERMS]).decode()
    async with store.connection() as connection:
        for statement in definition(table_of(STOCK, Term)):
            await connection.execute(statement)
        await connection.fetch(statements(table_of(STOCK, Term)).insert, rows)
    return ViewReader(store, STOCK, Term)


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        (Filter("on", "eq", "9999-12-31"), "cde"),
        (Filter("on", "gte", "9999-12-31"), "cde"),
        (Filter("on", "lt", "9999-12-31"), "ab"),
        (Filter("on", "ne", "9999-12-31"), "abf"),
        (Filter("on", "in", "9999-12-31,0001-01-01"), "acde"),
        (Filter("on", "eq", "0001-01-01"), "a"),
        (Filter("on", "lte", "0001-01-01"), "a"),
        (Filter("at", "eq", "9999-12-31T23:59:59.999999Z"), "cde"),
        (Filter("at", "lt", "9999-12-31T23:59:59.999999Z"), "ab"),
        (Filter("at", "in", "9999-12-31T23:59:59.999999Z,2026-01-01T02:00:00+02:00"), "bcde"),
        (Filter("at", "eq", "0001-01-01T00:00:00Z"), "a"),
        (Filter("at", "gt", "0001-01-01T00:00:00+14:00"), "abcde"),
        (Filter("at", "lt", "9999-12-31T23:59:59-12:00"), "abcde"),
    ],
)
async def test_filters_find_the_first_and_the_last_days_and_times(terms: ViewReader, filter: Filter, found: str) -> None:
    assert ids((await terms.page(PageRequest((filter,)))).rows, "term_id") == found


@pytest.mark.parametrize("sort", ["on", "-on", "at", "-at", "on,at", "-at,on", "-term_id"])
@pytest.mark.parametrize("limit", [1, 2, 4])
async def test_pages_at_the_edges_of_the_calendar_have_each_row_once(terms: ViewReader, sort: str, limit: int) -> None:
    asked = parse_page_request([("limit", str(limit)), ("sort", sort)])

    whole = ids((await terms.page(replace(asked, limit=100))).rows, "term_id")
    pages = [await terms.page(asked)]
    while pages[-1].next is not None and len(pages) <= len(TERMS):
        pages.append(await terms.page(replace(asked, after=pages[-1].next)))
    found = "".join(ids(page.rows, "term_id") for page in pages)

    assert found == whole
    assert sorted(found) == list("abcdef")


class Counted(Event):
    """Something was counted on a day; the day is over if there is no count."""

    on: date
    count: int | None = None


def day(row: Day, event: RecordedEvent[Counted]) -> Day | None:
    return None if event.data.count is None else row.replace(count=row.count + event.data.count)


@pytest.mark.parametrize("key", ["9999-12-31", "0001-01-01"])
async def test_the_first_and_the_last_day_can_be_keys(store: Store, key: str) -> None:
    projection = Projection(Day, day, events=(Counted,)).of("shop")
    on, writer, reader = date.fromisoformat(key), ViewWriter(projection, projection.table()), ViewReader(store, STOCK, Day)
    async with store.transaction() as connection:
        for statement in definition(projection.table()):
            await connection.execute(statement)
        for _ in range(2):
            await writer.apply(connection, [recorded(Counted(on=on, count=1))])

    row = await reader.get(key)
    assert row is not None
    assert Day.model_validate(dict(row)) == Day(on=on, count=2)

    async with store.transaction() as connection:
        await writer.apply(connection, [recorded(Counted(on=on))])
    assert await reader.get(key) is None


@pytest.mark.parametrize(("by", "error"), [("count", TooCostly), ("item_id", Unavailable)])
async def test_a_query_that_takes_too_long_is_cancelled(store: Store, by: str, error: type[CaudalError]) -> None:
    reader = ViewReader(store, STOCK, Item, max_seconds=0.3)
    async with store.transaction() as connection:
        await connection.execute(f"lock table {store.schema}.items in access exclusive mode")
        with pytest.raises(error) as raised:
            await reader.page(PageRequest((Filter(by, "eq", "1"),)))
        waiting = "select count(*) from pg_stat_activity where query like '%items%' and wait_event_type = 'Lock'"
        assert await connection.fetchval(waiting) == 0

    if error is TooCostly:
        assert "count has no index; also filter by one of item_id" in raised.value.detail
    assert (await reader.page(PageRequest((Filter(by, "eq", "1"),)))).rows == []
