"""Users: who may sign in, and with which role."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import ConfigDict, Field, model_validator

from schemas.message import Command, Event
from schemas.sensitive import Encrypted, Password, Sensitive, SensitiveMailbox, SensitiveUsername, is_encrypted
from schemas.values.names import enforced_username
from schemas.values.stated import RULES

_DERIVED = "the user's id is derived from the name: leave it out"
_USERS = UUID("3f6f9f1c-1f5b-5e0a-9d3e-7a8c5b2e4d11")

Role = Literal["clinician", "patient"]
"""The roles that a new user may choose. Auditors get their token from the operator of the laboratory."""
ROLES: Mapping[Literal[1, 2], Role] = {1: "clinician", 2: "patient"}
"""The roles by the numbers that clients know them by."""
NUMBERS_OF_ROLES: Mapping[Role, Literal[1, 2]] = {"clinician": 1, "patient": 2}


def user_id_of(username: str) -> UUID:
    """Returns the id of the user with a name, which is compared by RFC 8265; raises ``ValueError`` if it is not a user name."""
    return uuid5(_USERS, enforced_username(username))


class CreateUser(Command, subject="user_id"):
    """Creates a user; rejected if a user has the name already."""

    model_config = ConfigDict(
        json_schema_extra={RULES: [_DERIVED], "examples": [{"username": "ana", "password": "correct horse", "role": "patient"}]}
    )

    username: SensitiveUsername
    password: Annotated[str, Password(min_length_in_seed=6), Sensitive(max_length=200)]
    role: Role = "patient"
    email: SensitiveMailbox = None
    user_id: UUID = Field(
        default_factory=lambda given: user_id_of(given["username"]), description="Derived from the name; need not be given."
    )

    @model_validator(mode="after")
    def _is_that_of_the_name(self) -> "CreateUser":
        if not is_encrypted(self.username) and self.user_id != user_id_of(self.username):
            raise ValueError(_DERIVED)
        return self


class RecordLogin(Command, internal=True):
    """Records that a user signed in."""

    user_id: UUID


class RecordUserListing(Command, internal=True):
    """Records that somebody listed the users."""

    listed_by: str | None = Field(description="The caller; null for one without a token.")
    users: int


class UserCreated(Event):
    """A user was created."""

    user_id: UUID
    number: int = Field(description="Its number in the laboratory, from 1.")
    username: Encrypted
    password_hash: Encrypted
    role: Role
    email: Encrypted


class UserNumberTaken(Event):
    """The laboratory's next number was given to a user."""

    number: int
    user_id: UUID


class UserLoggedIn(Event):
    """A user signed in and got a token."""

    user_id: UUID


class UsersListed(Event):
    """The users were listed."""

    listing_id: UUID
    listed_by: str | None = Field(description="The caller; null for one without a token.")
    users: int = Field(description="How many users were shown.")


COMMANDS = (CreateUser, RecordLogin, RecordUserListing)
EVENTS = (UserCreated, UserNumberTaken, UserLoggedIn, UsersListed)
