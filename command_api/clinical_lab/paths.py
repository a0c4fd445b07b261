"""The clinical laboratory's own paths for commands."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from aggregates.clinical_lab.users import User
from command_api.handling.passwords import is_password
from command_api.http.gateway import Desk
from command_api.http.routes import CommandRoute, QuestionRoute, Translation
from schemas.clinical_lab.results import RecordResult, ResultRecorded
from schemas.clinical_lab.users import USERS, CreateUser, RecordLogin, Role, user_id_of
from schemas.envelope import Receipt
from schemas.errors import Unauthenticated
from schemas.message import Command, Event
from schemas.sensitive import Password

_ROLES: Mapping[int, Role] = {1: "clinician", 2: "patient"}


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NewUser(_Body):
    """A user, with the role as a number or by its name."""

    username: str
    password: str = Field(
        min_length=Password().min_length, max_length=Password().max_length, json_schema_extra={"format": "password"}
    )
    role: Literal[1, 2, "clinician", "patient"] = Field(default="patient", description="1: clinician, 2: patient.")
    email: str | None = None


class Login(_Body):
    """Who signs in."""

    username: str
    password: str = Field(json_schema_extra={"format": "password"})


class LoggedIn(BaseModel):
    """A token, to be sent as `Authorization: Bearer …` (RFC 6750)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    user_id: UUID
    role: Role


def create_user(said: NewUser, _: Mapping[str, str]) -> Command:
    role = _ROLES[said.role] if isinstance(said.role, int) else said.role
    return CreateUser(username=said.username, password=said.password, role=role, email=said.email)


def its_id(receipt: Receipt, _: Sequence[Event]) -> Mapping[str, Any]:
    return {"id": receipt.key}


def its_number(receipt: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    numbers = [event.number for event in events if isinstance(event, ResultRecorded)]
    return {"id": numbers[0], "result_id": receipt.key}


async def log_in(said: Login, request: Request, desk: Desk) -> LoggedIn:
    """A token for whoever knows the password. Takes as long for a name that nobody has."""
    user_id = user_id_of(said.username)
    user = await desk.load(USERS, User, str(user_id))
    decrypted = await desk.decrypted([user.password_hash])
    if not await is_password(decrypted.get(user.password_hash or ""), said.password) or user.role is None:
        raise Unauthenticated("there is no user with this name and password", had_token=False)
    token = desk.issue_token(str(user_id), roles=[user.role])
    await desk.handle(request, RecordLogin(user_id=user_id))
    return LoggedIn.model_validate(
        {
            "access_token": token.text,
            "token_type": "Bearer",
            "expires_in": token.expires_in,
            "user_id": user_id,
            "role": user.role,
        }
    )


ROUTES = (
    CommandRoute("/users", CreateUser, its_id, says=Translation(NewUser, create_user)),
    QuestionRoute("/login", Login, log_in, LoggedIn, "Sign in: a token for whoever knows the password."),
    CommandRoute("/results", RecordResult, its_number, tells_events=True),
)
