"""The queries of the clinical laboratory: each reading of a result, and each listing of the users, is recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.clinical_lab import dialect
from schemas.clinical_lab.results import RecordResultQuery
from schemas.clinical_lab.users import NUMBERS_OF_ROLES, RecordUserListing
from schemas.clinical_lab.views import ListedUsers, Results, SagaEntries
from schemas.engine.sagas import StepStatus
from schemas.errors import NotFound
from streams.http.request_context import caller_of

_MAX_DIGITS = 18
_OF_RESULTS = {"clinical_lab.result", "clinical_lab.reading"}
_STATUSES: Mapping[StepStatus, Literal["RECEIVED", "PROCESSED", "FAILED"]] = {
    "received": "RECEIVED",
    "handled": "PROCESSED",
    "failed": "FAILED",
}
_LIMIT = 1000
"""Rows of a page: the clients know no pages."""


class Result(Results, context="results", key="result_id"):
    """A result, with its number under the name by which clients know it."""

    id: int


class ListedUser(BaseModel):
    """A user, with the number and the role by which clients know it."""

    id: int
    user_id: UUID
    username: str | None = Field(description="Null if the user was erased.")
    role: Literal[1, 2] = Field(description="1: clinician, 2: patient.")


async def users(context: QueryContext) -> Answer:
    """Returns a page of the users that the caller may see, once the listing is sent; the newest is the last."""
    page = await context.views.page(context.request, ListedUsers, limit=_LIMIT)
    caller = caller_of(context.request)
    listing = RecordUserListing(listed_by=None if caller is None else caller.subject, users=len(page.rows))
    await context.commands.send(context.request, [(listing, listing.listed_by or "anonymous")])
    return context.page(page, list(map(listed_user, page.rows)))


def listed_user(row: Row) -> ListedUser:
    """Returns a row of the list of users in the clients' words."""
    return ListedUser(id=row["number"], user_id=row["user_id"], username=row["username"], role=NUMBERS_OF_ROLES[row["role"]])


class SagaEntry(BaseModel):
    """An event of one of the laboratory's sagas."""

    id: int = Field(description="Larger for a newer one.")
    topic: Literal["event-user", "event-topic"]
    event_type: str | None
    status: Literal["RECEIVED", "PROCESSED", "FAILED"]
    data: dict[str, JsonValue] = Field(description="The event, with null in the place of each encrypted text.")
    created_at: datetime | None


async def saga_entries(context: QueryContext) -> Answer:
    """Returns a page of the log of the laboratory's sagas, the newest first unless the request sorts them."""
    newest_first = () if "sort" in context.request.query_params else (("sort", "-position"),)
    page = await context.views.page(context.request, SagaEntries, *newest_first, limit=_LIMIT)
    return context.page(page, list(map(saga_entry, page.rows)))


def saga_entry(row: Row) -> SagaEntry:
    """Returns a row of the log in the clients' words."""
    return SagaEntry(
        id=row["position"],
        topic="event-topic" if row["saga"] in _OF_RESULTS else "event-user",
        event_type=row["event_type"],
        status=_STATUSES[row["status"]],
        data=row["data"],
        created_at=row["created_at"],
    )


async def results(context: QueryContext) -> Answer:
    """Returns a page of the caller's results."""
    page = await context.views.page(context.request, Results)
    await _record_readings(context, page.rows)
    return context.page(page, list(map(numbered, page.rows)))


async def result(context: QueryContext) -> Answer:
    """Returns a result by its number or its id."""
    number_or_id = context.path_parameter("result_id")
    is_number = number_or_id.isascii() and number_or_id.isdigit() and len(number_or_id) <= _MAX_DIGITS
    row = await (_by_number(context, number_or_id) if is_number else context.views.row(context.request, Results, number_or_id))
    await _record_readings(context, [row])
    return Answer(numbered(row))


def numbered(row: Row) -> Row:
    """Returns a row with its number under the name by which clients know it."""
    return {**row, "id": row["number"]}


async def _by_number(context: QueryContext, number: str) -> Row:
    page = await context.views.page(context.request, Results, ("number", number))
    if not page.rows:
        raise NotFound(f"there is no result {number}")
    return page.rows[0]


async def _record_readings(context: QueryContext, rows: Sequence[Row]) -> None:
    """Sends who reads which results, before the answer is sent; raises `Unavailable`, so that no reading is left out."""
    caller = caller_of(context.request)
    assert caller is not None, "the view needs a token"
    commands = (RecordResultQuery.model_validate({"result_id": row["result_id"], "queried_by": caller.subject}) for row in rows)
    await context.commands.send(context.request, [(command, str(command.result_id)) for command in commands])


QUERIES = (
    Query(
        "/users",
        ListedUsers,
        "The users, a page at a time, the newest last; each listing is recorded.",
        shape=listed_user,
        handler=users,
        limit=_LIMIT,
        empty=dialect.Mensaje(msg="No hay usuarios registrados"),
        errors=dialect.USERS,
    ),
    Query(
        "/results",
        Results,
        "The caller's results, a page at a time; the reading of each is recorded.",
        shape=Result,
        handler=results,
        errors=dialect.RESULTS,
    ),
    Query(
        "/results/{result_id}",
        Results,
        "One result, by its number or its id; the reading is recorded.",
        key="result_id",
        shape=Result,
        handler=result,
        errors=dialect.RESULTS,
    ),
    Query(
        "/clinical_lab/saga/logs",
        SagaEntries,
        "The log of the laboratory's sagas, a page at a time, the newest first.",
        shape=saga_entry,
        handler=saga_entries,
        limit=_LIMIT,
        errors=dialect.DIALECT,
    ),
)
