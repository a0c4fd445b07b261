"""Users: each name is used once. They are numbered in the order in which they are created."""

from aggregates.clinical_lab.numbers import Numbers, take_number
from aggregates.decision import Decision, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.clinical_lab.users import (
    CreateUser,
    RecordLogin,
    RecordUserListing,
    UserCreated,
    UserLoggedIn,
    UserNumberTaken,
    UsersListed,
)
from schemas.envelope import CommandEnvelope
from schemas.message import Event


class User(State, snapshot_every=200):  # each sign-in adds an event
    """A user. Name, password and address are encrypted."""

    role: str | None = None
    username: str | None = None
    password_hash: str | None = None
    email: str | None = None


def evolve(user: User, event: Event) -> User:
    if not isinstance(event, UserCreated):
        return user
    return User(role=event.role, username=event.username, password_hash=event.password_hash, email=event.email)


USER = Stream("user", User, evolve)
USER_NUMBERS = Stream("usernumbers", Numbers, take_number, only="all")
NUMBERS = USER_NUMBERS.create_or_change()


def create_user(command: CommandEnvelope[CreateUser], numbers: Numbers) -> Events:
    """Creates a user with the next number."""
    data, number = command.data, numbers.last + 1
    yield NUMBERS.records(UserNumberTaken(number=number, user_id=data.user_id))
    yield UserCreated(
        user_id=data.user_id,
        number=number,
        username=data.username,
        password_hash=data.password,
        role=data.role,
        email=data.email,
    )


def record_login(command: CommandEnvelope[RecordLogin], user: User) -> Events:
    """Records that a user signed in."""
    yield UserLoggedIn(user_id=command.data.user_id)


def record_listing(command: CommandEnvelope[RecordUserListing]) -> Events:
    """Records that somebody listed the users."""
    yield UsersListed(listing_id=command.id, listed_by=command.data.listed_by, users=command.data.users)


DECISIONS = (
    Decision(CreateUser, USER.create("user_id"), create_user, writes=(NUMBERS,)),
    Decision(RecordLogin, USER.change("user_id"), record_login),
    Decision(RecordUserListing, Stream("userlisting").create(), record_listing),
)
