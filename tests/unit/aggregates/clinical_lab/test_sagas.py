"""The sagas of the clinical laboratory, which compare what happens with what may happen."""

from uuid import UUID, uuid4

from aggregates.clinical_lab import sagas
from aggregates.sagas.scenario import SagaScenario
from schemas.clinical_lab.notifications import (
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from schemas.clinical_lab.users import UserCreated, UsersListed, user_id_of

NOTIFICATION = UUID("01940000-0000-7000-8000-0000000000d1")
ANA = user_id_of("ana")
CREATED = UserCreated(user_id=ANA, number=1, username="encrypted", password_hash="encrypted", role="patient", email=None)
REQUESTED = NotificationRequested(
    notification_id=NOTIFICATION, kind="welcome", cause=f"user-{ANA}", recipients=(str(ANA),), about=""
)
FIELDS = {"notification_id": NOTIFICATION, "cause": f"user-{ANA}"}


def test_a_registration_is_complete_when_its_welcome_is_sent() -> None:
    story = SagaScenario(sagas.REGISTRATION).happens(CREATED).happens(REQUESTED).becomes("running")
    story.happens(NotificationSent(**FIELDS, attempt=1)).becomes("completed").sends()


def test_a_registration_whose_welcome_was_given_up_has_failed() -> None:
    story = SagaScenario(sagas.REGISTRATION).happens(CREATED).happens(REQUESTED)
    story.happens(NotificationFailed(**FIELDS, attempt=6, problem="closed")).becomes("failed")


def test_a_listing_of_users_is_a_saga_of_one_event() -> None:
    listed = UsersListed(listing_id=NOTIFICATION, listed_by=None, users=2)
    SagaScenario(sagas.LISTING).happens(listed).becomes("completed").sends()


def test_an_event_outside_the_rules_is_reported() -> None:
    story = SagaScenario(sagas.REGISTRATION)
    registered = uuid4()
    story.happens(CREATED, id=registered)
    story.happens(NotificationSent(**FIELDS, attempt=1), caused_by=registered).has_problem("may not follow UserCreated")
