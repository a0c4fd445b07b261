"""The view of users."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from projectors.clinical_lab.users import PROJECTIONS
from schemas.clinical_lab.users import UserCreated, UserLoggedIn
from schemas.clinical_lab.views import ListedUsers, Users
from tests.unit.projectors.applied import applied

ID = UUID(int=1)
CREATED = UserCreated(user_id=ID, number=3, username="Ana", password_hash="secret", role="patient", email="ana@example.org")


def test_a_user_is_shown_without_the_password() -> None:
    assert applied(PROJECTIONS[0], CREATED) == Users(
        user_id=ID, number=3, username="Ana", email="ana@example.org", role="patient", created_at=MIDNIGHT
    )


def test_the_list_has_neither_password_nor_address() -> None:
    assert applied(PROJECTIONS[1], CREATED) == ListedUsers(number=3, user_id=ID, username="Ana", role="patient")


def test_a_login_is_noted() -> None:
    row = applied(PROJECTIONS[0], CREATED, UserLoggedIn(user_id=ID))

    assert (row.username, row.last_login_at) == ("Ana", MIDNIGHT)
