"""Users: one row for each."""

from typing import Any

from projectors.projection import Projection
from schemas.clinical_lab.users import UserCreated, UserLoggedIn
from schemas.clinical_lab.views import Users
from schemas.envelope import RecordedEvent


def user(row: Users, event: RecordedEvent[Any]) -> Users:
    match event.data:
        case UserCreated(number=number, username=username, email=email, role=role):
            return row.replace(number=number, username=username, email=email, role=role, created_at=event.recorded_at)
        case UserLoggedIn():
            return row.replace(last_login_at=event.recorded_at)
    return row


PROJECTIONS = (Projection(Users, user, events=(UserCreated, UserLoggedIn)),)
