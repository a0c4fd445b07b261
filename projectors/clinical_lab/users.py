"""Users: one row for each, and one in the list of users."""

from typing import Any

from projectors.projection import Projection
from schemas.clinical_lab.users import UserCreated, UserLoggedIn
from schemas.clinical_lab.views import ListedUsers, Users
from schemas.envelope import RecordedEvent


def user(row: Users, event: RecordedEvent[Any]) -> Users:
    match event.data:
        case UserCreated(number=number, username=username, email=email, role=role):
            return row.replace(number=number, username=username, email=email, role=role, created_at=event.recorded_at)
        case UserLoggedIn():
            return row.replace(last_login_at=event.recorded_at)
    return row


def listed_user(row: ListedUsers, event: RecordedEvent[UserCreated]) -> ListedUsers:
    return row.replace(user_id=event.data.user_id, username=event.data.username, role=event.data.role)


PROJECTIONS = (
    Projection(Users, user, events=(UserCreated, UserLoggedIn)),
    Projection(ListedUsers, listed_user, events=(UserCreated,)),
)
