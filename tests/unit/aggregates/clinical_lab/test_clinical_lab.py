"""The clinical laboratory: what its contexts decide, and how its processes go."""

from uuid import UUID, uuid4

import pytest

from aggregates.clinical_lab import notifications, redelivery, results, sagas
from aggregates.clinical_lab.notifications import PAUSES
from aggregates.sagas.scenario import SagaScenario
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario, reaction_of
from schemas.clinical_lab.notifications import (
    DeliverNotification,
    DeliveryFailed,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
    RecordDelivery,
    RequestNotification,
)
from schemas.clinical_lab.results import (
    NumberTaken,
    RecordResult,
    RecordResultQuery,
    ResultQueried,
    ResultRecorded,
    patient_id_of,
)
from schemas.clinical_lab.users import CreateUser, UserCreated, user_id_of

NOTIFICATION = UUID("01940000-0000-7000-8000-0000000000d1")
ANA = user_id_of("ana")
CREATED = UserCreated(user_id=ANA, username="encrypted", password_hash="encrypted", role="patient", email=None)
REQUESTED = NotificationRequested(
    notification_id=NOTIFICATION, kind="welcome", cause=f"user-{ANA}", recipients=(str(ANA),), about=""
)
FIELDS = {"notification_id": NOTIFICATION, "cause": f"user-{ANA}"}


def test_a_name_belongs_to_one_user_however_it_is_written() -> None:
    assert user_id_of("Ana ") == user_id_of("ana") != user_id_of("anna")
    with pytest.raises(ValueError, match="derived from the name"):
        CreateUser(username="ana", password="password2", user_id=uuid4())


def test_a_patient_is_the_user_who_is_named_and_nobody_whose_name_is_only_the_same() -> None:
    assert patient_id_of("Ana Paz", "ana") == ANA
    assert patient_id_of("ana", None) != ANA
    with pytest.raises(ValueError, match="derived from the name"):
        RecordResult(patient="Ana Paz", result="positive", patient_id=ANA)


def test_results_are_numbered_in_the_order_in_which_they_are_recorded() -> None:
    scenario = Scenario(results.DECISIONS).given("resultnumbers-all", NumberTaken(number=7, result_id=uuid4()))
    command = RecordResult(patient="Ana Paz", patient_username="ana", result="positive")
    scenario.when(command, actor="dr")
    assert set(scenario.recorded) == {
        NumberTaken(number=8, result_id=FIRST_ID),
        ResultRecorded(result_id=FIRST_ID, number=8, patient_id=ANA, clinician_id="dr", patient="Ana Paz", result="positive"),
    }
    scenario.when(command, id=NOTIFICATION, actor="dr")
    assert NumberTaken(number=9, result_id=NOTIFICATION) in scenario.recorded


def test_each_reading_is_noted_with_who_and_when() -> None:
    scenario = Scenario(results.DECISIONS).when(RecordResult(patient="Ana Paz", result="positive"), actor="dr")
    scenario.when(RecordResultQuery(result_id=FIRST_ID, queried_by="ana"), id=NOTIFICATION)
    scenario.then(
        ResultQueried(
            query_id=NOTIFICATION,
            result_id=FIRST_ID,
            number=1,
            patient_id=patient_id_of("Ana Paz", None),
            queried_by="ana",
            queried_at=MIDNIGHT,
        )
    )
    scenario.when(RecordResultQuery(result_id=NOTIFICATION, queried_by="ana")).then_rejected(containing="there is no result")


def test_a_new_user_is_welcomed_and_a_result_announced_to_its_patient_or_its_clinician() -> None:
    notifying, delivering = notifications.POLICIES
    assert reaction_of(notifying, CREATED) == (
        RequestNotification(kind="welcome", cause=f"user-{ANA}", recipients=(str(ANA),), about=""),
    )
    event = ResultRecorded(result_id=FIRST_ID, number=8, patient_id=ANA, clinician_id="dr", patient="s", result="s")
    assert reaction_of(notifying, event) == (
        RequestNotification(kind="result", cause=f"result-{FIRST_ID}", recipients=(str(ANA), "dr"), about="8"),
    )
    assert reaction_of(delivering, REQUESTED) == (DeliverNotification(notification_id=NOTIFICATION),)


def test_mail_is_tried_again_ever_later_and_given_up_at_last() -> None:
    scenario = Scenario(notifications.DECISIONS).given(f"notification-{NOTIFICATION}", REQUESTED)
    for attempt, pause in enumerate(PAUSES, start=1):
        scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=attempt, problem="closed")).then(
            DeliveryFailed(notification_id=NOTIFICATION, attempt=attempt, problem="closed", again_at=MIDNIGHT + pause)
        )
    last = len(PAUSES) + 1
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=last, problem="closed"))
    scenario.then(NotificationFailed(**FIELDS, attempt=last, problem="closed"))


def test_mail_that_can_never_be_delivered_is_given_up_at_once_and_each_attempt_counts_once() -> None:
    scenario = Scenario(notifications.DECISIONS).given(f"notification-{NOTIFICATION}", REQUESTED)
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1, problem="no mailbox", may_work_later=False))
    scenario.then(NotificationFailed(**FIELDS, attempt=1, problem="no mailbox"))
    scenario.when(RecordDelivery(notification_id=NOTIFICATION, attempt=1)).then()


def test_a_registration_is_complete_when_its_welcome_is_sent() -> None:
    story = SagaScenario(sagas.REGISTRATION).happens(CREATED).happens(REQUESTED).becomes("running")
    story.happens(NotificationSent(**FIELDS, attempt=1)).becomes("completed").sends()


def test_a_registration_whose_welcome_was_given_up_has_failed() -> None:
    story = SagaScenario(sagas.REGISTRATION).happens(CREATED).happens(REQUESTED)
    story.happens(NotificationFailed(**FIELDS, attempt=6, problem="closed")).becomes("failed")


def test_an_event_outside_the_rules_is_reported() -> None:
    story = SagaScenario(sagas.REGISTRATION)
    registered = uuid4()
    story.happens(CREATED, id=registered)
    story.happens(NotificationSent(**FIELDS, attempt=1), caused_by=registered).has_problem("may not follow UserCreated")


def test_redelivery_waits_for_its_time_and_tries_until_it_is_finished() -> None:
    first = DeliveryFailed(notification_id=NOTIFICATION, attempt=1, problem="closed", again_at=MIDNIGHT + PAUSES[0])
    story = SagaScenario(redelivery.REDELIVERY).happens(first).sends()
    story.waits(PAUSES[0]).sends(DeliverNotification(notification_id=NOTIFICATION, attempt=2)).accepts()
    second = first.model_copy(update={"attempt": 2, "again_at": MIDNIGHT + PAUSES[0] + PAUSES[1]})
    story.happens(second).waits(PAUSES[1]).sends(DeliverNotification(notification_id=NOTIFICATION, attempt=3)).accepts()
    story.happens(NotificationSent(**FIELDS, attempt=3)).becomes("completed")


def test_mail_that_is_delivered_at_once_needs_no_redelivery() -> None:
    reactions = redelivery.REDELIVERY.reactions
    assert reactions[NotificationSent].key_of(NotificationSent(**FIELDS, attempt=1)) is None
    assert reactions[NotificationFailed].key_of(NotificationFailed(**FIELDS, attempt=1, problem="no mailbox")) is None
