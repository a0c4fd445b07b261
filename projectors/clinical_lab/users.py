"""Users: a row for each."""

from projectors.projection import Fold, Projection
from schemas.clinical_lab.users import UserCreated, UserLoggedIn
from schemas.clinical_lab.views import User
from schemas.envelope import Recorded


def created(_: User | None, recorded: Recorded[UserCreated]) -> User:
    event = recorded.event
    return User(
        user_id=event.user_id,
        username=event.username,
        email=event.email,
        role=event.role,
        created_at=recorded.recorded_at,
    )


def logged_in(row: User | None, recorded: Recorded[UserLoggedIn]) -> User:
    row = row or User(user_id=recorded.event.user_id)
    return row.model_copy(update={"last_login_at": recorded.recorded_at})


PROJECTIONS = (
    Projection(
        User,
        {
            UserCreated: Fold(lambda recorded: recorded.event.user_id, created),
            UserLoggedIn: Fold(lambda recorded: recorded.event.user_id, logged_in),
        },
    ),
)
