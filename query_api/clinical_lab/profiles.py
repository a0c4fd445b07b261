"""The pages of a user: the profile, the dashboard with the newest results, and whether the caller is certified."""

from typing import Literal

from pydantic import BaseModel

from query_api.clinical_lab.numbers import numbered, row_by_number_or_id
from query_api.clinical_lab.results import Result, record_readings
from query_api.clinical_lab.users import ListedUser, listed_user
from query_api.queries.context import Answer, QueryContext
from query_api.queries.question import Question
from query_api.views.paging import MAX_LIMIT, Row
from schemas.access import Access
from schemas.clinical_lab import dialect
from schemas.clinical_lab.views import Results, Users
from schemas.errors import Forbidden, Invalid
from streams.http.request_context import caller_of, header

_CERTIFIED = "patient"
_HEADERS = {"User-Id": "The user's number or id; `user_id` is another name of this header. Other users' are for auditors."}


class Certifications(BaseModel):
    """Whether a role is certified."""

    role: Literal[1, 2]
    allowed: bool


class Profile(BaseModel):
    """A user, and whether the user is certified."""

    user: ListedUser
    certifications: Certifications


class Dashboard(BaseModel):
    """A user, and the results that the user recorded or that are about the user."""

    user: ListedUser
    items: list[Result]


class Certified(BaseModel):
    """A caller who is certified."""

    allowed: Literal[True] = True
    message: str


async def profile(context: QueryContext) -> Answer:
    """Returns the profile of the user whom the request names."""
    user = listed_user(await _user(context))
    return Answer(Profile(user=user, certifications=Certifications(role=user.role, allowed=user.role == 2)))


async def dashboard(context: QueryContext) -> Answer:
    """Returns the user whom the request names, who must be the caller, with the newest results; each is a reading."""
    row = await _user(context)
    caller = caller_of(context.request)
    if caller is None or str(row["user_id"]) != caller.subject:
        raise Forbidden("results are shown to their patients and to the users who recorded them alone")
    page = await context.views.page(context.request, Results, ("sort", "-number"), limit=MAX_LIMIT, one_of_several=True)
    await record_readings(context, page.rows)
    return Answer(Dashboard(user=listed_user(row), items=[Result.model_construct(**numbered(one)) for one in page.rows]))


async def validate(context: QueryContext) -> Answer:
    """Returns that the caller is certified; raises `Forbidden` for one who is not."""
    caller = caller_of(context.request)
    if caller is None or _CERTIFIED not in caller.roles:
        raise Forbidden("only patients are certified")
    return Answer(Certified(message="Usuario autorizado"))


async def _user(context: QueryContext) -> Row:
    """Returns the row of the user whom the request names; for callers who may not read it, there is none."""
    named = header(context.request, b"user-id") or header(context.request, b"user_id")
    if named is None:
        raise Invalid("User-Id header is required")
    return await row_by_number_or_id(context, Users, "user", named, one_of_several=True)


QUERIES = (
    Question(
        "/user-profile",
        profile,
        Profile,
        "A user, and whether the user is certified.",
        access=Access(),
        headers=_HEADERS,
        errors=dialect.PROFILES,
    ),
    Question(
        "/dashboard",
        dashboard,
        Dashboard,
        "The caller with the newest results; the reading of each is recorded.",
        access=Access(),
        headers=_HEADERS,
        errors=dialect.PROFILES,
    ),
    Question(
        "/validate",
        validate,
        Certified,
        "Whether the caller is certified: patients are.",
        access=Access(),
        errors=dialect.CERTIFICATION,
    ),
)
