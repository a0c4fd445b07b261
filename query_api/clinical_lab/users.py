"""The list of users: each listing is recorded."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import MAX_LIMIT, Row
from schemas.clinical_lab import dialect
from schemas.clinical_lab.users import NUMBERS_OF_ROLES, RecordUserListing
from schemas.clinical_lab.views import ListedUsers
from streams.http.request_context import caller_of


class ListedUser(BaseModel):
    """A user, with the number and the role by which clients know it."""

    id: int
    user_id: UUID
    username: str | None = Field(description="Null if the user was erased.")
    role: Literal[1, 2] = Field(description="1: clinician, 2: patient.")


async def users(context: QueryContext) -> Answer:
    """Returns a page of the users that the caller may see, once the listing is sent; the newest is the last."""
    page = await context.views.page(context.request, ListedUsers, limit=MAX_LIMIT)
    caller = caller_of(context.request)
    listing = RecordUserListing(listed_by=None if caller is None else caller.subject, users=len(page.rows))
    await context.commands.send(context.request, [(listing, listing.listed_by or "anonymous")])
    return context.page(page, list(map(listed_user, page.rows)))


def listed_user(row: Row) -> ListedUser:
    """Returns a row of a view of users in the clients' words."""
    return ListedUser(id=row["number"], user_id=row["user_id"], username=row["username"], role=NUMBERS_OF_ROLES[row["role"]])


QUERIES = (
    Query(
        "/users",
        ListedUsers,
        "The users, a page at a time, the newest last; each listing is recorded.",
        shape=listed_user,
        handler=users,
        limit=MAX_LIMIT,
        empty=dialect.Mensaje(msg="No hay usuarios registrados"),
        errors=dialect.USERS,
    ),
)
