"""Users: who may sign in, and as what."""

from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import Field, model_validator

from schemas.message import Command, Event
from schemas.sensitive import Encrypted, Password, Sensitive, SensitiveMailbox, is_encrypted

_USERS = UUID("3f6f9f1c-1f5b-5e0a-9d3e-7a8c5b2e4d11")

Role = Literal["clinician", "patient"]
"""What anybody may register as; whoever audits the laboratory gets a token from whoever runs it."""


def user_id_of(username: str) -> UUID:
    """The id of whoever has a name: the same for each way of writing it."""
    return uuid5(_USERS, username.strip().casefold())


class CreateUser(Command, subject="user_id"):
    """Makes a user, unless there is one of the same name."""

    username: Annotated[str, Sensitive(max_length=100)]
    password: Annotated[str, Password(), Sensitive(max_length=200)]
    role: Role = "patient"
    email: SensitiveMailbox = None
    user_id: UUID = Field(
        default_factory=lambda given: user_id_of(given["username"]), description="Made of the name; need not be given."
    )

    @model_validator(mode="after")
    def _is_that_of_the_name(self) -> "CreateUser":
        if not is_encrypted(self.username) and self.user_id != user_id_of(self.username):
            raise ValueError("the user's id is made of the name")
        return self


class RecordLogin(Command, internal=True):
    """Notes that somebody signed in."""

    user_id: UUID


class UserCreated(Event):
    """There is a user."""

    user_id: UUID
    username: Encrypted
    password_hash: Encrypted
    role: Role
    email: Encrypted


class UserLoggedIn(Event):
    """A user signed in and got a token."""

    user_id: UUID


COMMANDS = (CreateUser, RecordLogin)
EVENTS = (UserCreated, UserLoggedIn)
