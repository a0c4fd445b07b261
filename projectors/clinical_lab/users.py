"""Users: a row for each."""

from projectors.projection import Fold, Projection
from schemas.clinical_lab.users import UserCreated, UserLoggedIn
from schemas.clinical_lab.views import User
from schemas.envelope import RecordedEvent


def created(_: User | None, recorded: RecordedEvent[UserCreated]) -> User:
    event = recorded.data
    return User(
        user_id=event.user_id,
        username=event.username,
        email=event.email,
        role=event.role,
        created_at=recorded.recorded_at,
    )


def logged_in(row: User | None, recorded: RecordedEvent[UserLoggedIn]) -> User:
    row = row or User(user_id=recorded.data.user_id)
    return row.model_copy(update={"last_login_at": recorded.recorded_at})


PROJECTIONS = (
    Projection(
        User,
        {
            UserCreated: Fold(lambda recorded: recorded.data.user_id, created),
            UserLoggedIn: Fold(lambda recorded: recorded.data.user_id, logged_in),
        },
    ),
)
