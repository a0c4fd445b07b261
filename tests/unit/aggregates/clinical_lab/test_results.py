"""Results: numbered as they are recorded, and each reading recorded."""

from uuid import UUID, uuid4

from aggregates.clinical_lab import results
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario
from schemas.clinical_lab.notifications import (
    NotificationRequested,
)
from schemas.clinical_lab.results import (
    NumberTaken,
    RecordResult,
    RecordResultQuery,
    ResultQueried,
    ResultRecorded,
    patient_id_of,
)
from schemas.clinical_lab.users import UserCreated, user_id_of

NOTIFICATION = UUID("01940000-0000-7000-8000-0000000000d1")
ANA = user_id_of("ana")
CREATED = UserCreated(user_id=ANA, number=1, username="encrypted", password_hash="encrypted", role="patient", email=None)
REQUESTED = NotificationRequested(
    notification_id=NOTIFICATION, kind="welcome", cause=f"user-{ANA}", recipients=(str(ANA),), about=""
)
FIELDS = {"notification_id": NOTIFICATION, "cause": f"user-{ANA}"}


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
