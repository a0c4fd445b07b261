"""Users: each name once, and each sign-in recorded."""

from aggregates.clinical_lab import users
from aggregates.scenario import FIRST_ID, Scenario
from schemas.clinical_lab.users import (
    CreateUser,
    RecordLogin,
    RecordUserListing,
    UserCreated,
    UserLoggedIn,
    UserNumberTaken,
    UsersListed,
    user_id_of,
)
from schemas.errors import AlreadyExists

ANA = user_id_of("ana")
CREATED = UserCreated(user_id=ANA, number=1, username="ana", password_hash="hash", role="clinician", email="ana@example.org")


def test_a_user_is_created_once_however_the_name_is_written() -> None:
    create = CreateUser(username="ana", password="password2", role="clinician", email="ana@example.org")
    scenario = Scenario(users.DECISIONS).when(create)
    assert set(scenario.recorded) == {
        CREATED.model_copy(update={"password_hash": "password2"}),
        UserNumberTaken(number=1, user_id=ANA),
    }
    scenario.when(CreateUser(username=" ANA", password="password3")).then_rejected(
        AlreadyExists, f"the user {ANA} exists already"
    )


def test_users_are_numbered_in_the_order_in_which_they_are_created() -> None:
    scenario = Scenario(users.DECISIONS).given("usernumbers-all", UserNumberTaken(number=7, user_id=FIRST_ID))
    scenario.when(CreateUser(username="eva", password="password2"))
    eva = user_id_of("eva")
    assert UserNumberTaken(number=8, user_id=eva) in scenario.recorded
    assert UserCreated(user_id=eva, number=8, username="eva", password_hash="password2", role="patient", email=None) in (
        scenario.recorded
    )


def test_each_sign_in_of_a_user_is_recorded_and_nobody_elses() -> None:
    scenario = Scenario(users.DECISIONS).given(f"user-{ANA}", CREATED)
    scenario.when(RecordLogin(user_id=ANA)).then(UserLoggedIn(user_id=ANA))
    scenario.when(RecordLogin(user_id=ANA)).then(UserLoggedIn(user_id=ANA))
    scenario.when(RecordLogin(user_id=FIRST_ID)).then_rejected(containing="there is no user")


def test_each_listing_of_the_users_is_recorded_by_whom_and_how_many() -> None:
    for caller in ("ana", None):
        scenario = Scenario(users.DECISIONS).when(RecordUserListing(listed_by=caller, users=7))
        scenario.then(UsersListed(listing_id=FIRST_ID, listed_by=caller, users=7))


def test_a_sign_in_leaves_the_user_unchanged() -> None:
    state = users.USER.fold(users.User(), [CREATED, UserLoggedIn(user_id=ANA)])
    assert state == users.User(role="clinician", username="ana", password_hash="hash", email="ana@example.org")
