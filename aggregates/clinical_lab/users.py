"""Users: each name once."""

from pydantic import BaseModel

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.snapshot import SnapshotPolicy
from schemas.clinical_lab.users import CreateUser, RecordLogin, UserCreated, UserLoggedIn
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists, Rejected
from schemas.message import Event


class UserState(BaseModel):
    """What a snapshot of a user keeps, encrypted as it is."""

    role: str | None
    username: str | None
    password_hash: str | None
    email: str | None


class User(Aggregate):
    """A user. What is known of them in words is encrypted."""

    category = "user"
    snapshots = SnapshotPolicy(UserState, every=200)  # somebody may sign in for ever

    def __init__(self) -> None:
        self.role: str | None = None
        self.username: str | None = None
        self.password_hash: str | None = None
        self.email: str | None = None

    def evolve(self, event: Event) -> None:
        if isinstance(event, UserCreated):
            self.role, self.username = event.role, event.username
            self.password_hash, self.email = event.password_hash, event.email


def create_user(issued: CommandEnvelope[CreateUser], user: User) -> None:
    """Makes a user."""
    command = issued.data
    if not user.is_new:
        raise AlreadyExists("there is a user of this name")
    user.record(
        UserCreated(
            user_id=command.user_id,
            username=command.username,
            password_hash=command.password,
            role=command.role,
            email=command.email,
        )
    )


def record_login(issued: CommandEnvelope[RecordLogin], user: User) -> None:
    """Notes that a user signed in."""
    if user.is_new:
        raise Rejected("there is no such user")
    user.record(UserLoggedIn(user_id=issued.data.user_id))


AGGREGATES = (User,)
DECISIONS = (
    Decision(CreateUser, lambda issued: (Ref(User, str(issued.data.user_id)),), create_user, creates=True),
    Decision(RecordLogin, lambda issued: (Ref(User, str(issued.data.user_id)),), record_login),
)
