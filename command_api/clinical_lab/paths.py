"""The clinical laboratory's own paths for commands."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from starlette.requests import Request

from aggregates.clinical_lab.users import USER, User
from command_api.http.gateway import CommandGateway
from command_api.http.paths import CommandPath, QuestionPath, Translation
from schemas.clinical_lab import dialect
from schemas.clinical_lab.results import RecordResult, ResultRecorded
from schemas.clinical_lab.users import NUMBERS_OF_ROLES, ROLES, CreateUser, RecordLogin, Role, UserCreated, user_id_of
from schemas.envelope import Receipt
from schemas.message import Command, Event
from schemas.sensitive import MARK, Password, SensitiveMailbox, SensitiveUsername
from schemas.values.names import USERNAME, enforced_username


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


_NUMBER_OR_NAME = {"anyOf": [{"type": "integer", "enum": [1, 2]}, {"type": "string", "enum": ["clinician", "patient"]}]}
RoleOrNumber = Annotated[Literal[1, 2, "clinician", "patient"], WithJsonSchema(_NUMBER_OR_NAME)]
"""A role by its name or by its number; generators of code know no enumeration of both."""


class NewUser(_Body):
    """A user, with the role as a number or by its name."""

    username: SensitiveUsername
    password: Annotated[str, Password(min_length_in_seed=6)]
    role: RoleOrNumber = Field(default=1, description="1: clinician, 2: patient.")
    email: SensitiveMailbox = None


class Login(_Body):
    """The name and password of a user who signs in."""

    username: Annotated[str, AfterValidator(enforced_username), USERNAME]
    password: str = Field(json_schema_extra={"format": "password"})


class LoggedIn(BaseModel):
    """A token, to be sent as `Authorization: Bearer …` (RFC 6750)."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    user_id: UUID
    role: Role


def create_user(body: NewUser, _: Mapping[str, str]) -> Command:
    role = ROLES[body.role] if isinstance(body.role, int) else body.role
    return CreateUser(username=body.username, password=body.password, role=role, email=body.email)


def new_user(command: CreateUser, receipt: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    (number,) = (event.number for event in events if isinstance(event, UserCreated))
    return {
        "id": number,
        "user_id": receipt.key,
        "username": command.username,
        "role": NUMBERS_OF_ROLES[command.role],
    }


def new_result(command: RecordResult, receipt: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    (number,) = (event.number for event in events if isinstance(event, ResultRecorded))
    return {"id": number, "result_id": receipt.key, "patient": command.patient, "result": command.result}


async def log_in(body: Login, request: Request, gateway: CommandGateway) -> LoggedIn:
    """Returns a token if the password is right. An unknown name takes as long, and counts as a failure of its own."""
    user_id = user_id_of(body.username)
    user = User()

    async def find_hash() -> str | None:
        nonlocal user
        user = await gateway.load(USER, str(user_id))
        encrypted = user.password_hash or f"{MARK}{user_id}:"  # a look-up for nothing takes as long
        return (await gateway.decrypted([encrypted])).get(encrypted)

    await gateway.sign_ins.check(request, str(user_id), body.password, find_hash)
    assert user.role is not None, "a user who has a password has a role"
    token = gateway.issue_token(str(user_id), roles=[user.role])
    await gateway.handle(request, RecordLogin(user_id=user_id))
    return LoggedIn.model_validate(
        {
            "access_token": token.text,
            "token_type": "Bearer",
            "expires_in": token.expires_in,
            "user_id": user_id,
            "role": user.role,
        }
    )


PATHS = (
    CommandPath(
        "/users", CreateUser, new_user, translation=Translation(NewUser, create_user), with_events=True, errors=dialect.USERS
    ),
    QuestionPath(
        "/login", Login, log_in, LoggedIn, "Sign in: returns a token if the password is right.", errors=dialect.SIGN_IN
    ),
    CommandPath("/results", RecordResult, new_result, with_events=True, errors=dialect.RESULTS),
)
