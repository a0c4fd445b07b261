"""Requests: recorded without their patient, with an image or without; failed, and rolled back once."""

from datetime import timedelta

import pytest

from aggregates.medical_datasets.anonymisation import DECISIONS, NOT_REACHED, PAUSES
from aggregates.scenario import MIDNIGHT, Scenario
from schemas.medical_datasets.anonymisation import (
    AnonymisationFailed,
    AnonymisationRolledBack,
    FailAnonymisation,
    ImageAnonymised,
    ImagePostponed,
    PatientLinked,
    PostponeImage,
    RecordImage,
    RollbackAnonymisation,
    StartAnonymisation,
)
from schemas.message import Command, Event
from schemas.values.files import DeletedFile
from tests.unit.aggregates.medical_datasets.packets import ANONYMISED, ID, IMAGE, PACKET, STARTED, TOKEN

PATIENT = {"record_id": "encrypted:1:a:1", "name": "encrypted:1:a:2", "address": None, "phone": None}
FAILED = AnonymisationFailed(saga_id=ID, reason="no")
RECORD = RecordImage(saga_id=ID, token=TOKEN, packet=PACKET, file=IMAGE)
ROLL_BACK = RollbackAnonymisation(saga_id=ID)
ROLLED_BACK = AnonymisationRolledBack(saga_id=ID, file=DeletedFile(key=IMAGE.key))


def test_a_request_and_its_patient_are_recorded_together_on_streams_of_their_own() -> None:
    command = StartAnonymisation(packet=PACKET, image_url="encrypted:1:x:y", **PATIENT)
    linked = PatientLinked(token=TOKEN, saga_id=ID, **PATIENT)

    scenario = Scenario(DECISIONS).when(command).then(STARTED, linked)

    assert scenario.streams == (f"anonymisedimage-{ID}", f"patientlink-{TOKEN}")


@pytest.mark.parametrize(
    ("before", "command", "events"),
    [
        ((), RECORD, (ANONYMISED,)),
        (
            (),
            RecordImage(saga_id=ID, token=TOKEN, packet=PACKET, file=None),
            (ImageAnonymised(saga_id=ID, token=TOKEN, packet=PACKET, file=None),),
        ),
        ((ANONYMISED,), RECORD, ()),
        ((FAILED,), RECORD, ()),
        ((), FailAnonymisation(saga_id=ID, reason="no"), (FAILED,)),
        ((ANONYMISED,), FailAnonymisation(saga_id=ID, reason="no"), ()),
        ((ANONYMISED,), ROLL_BACK, (ROLLED_BACK,)),
        ((ANONYMISED, ROLLED_BACK), ROLL_BACK, ()),
        ((FAILED,), ROLL_BACK, ()),
        ((), ROLL_BACK, ()),
    ],
)
def test_a_request_goes_from_status_to_status_once(
    before: tuple[Event, ...], command: Command, events: tuple[Event, ...]
) -> None:
    Scenario(DECISIONS).given(f"anonymisedimage-{ID}", STARTED, *before).when(command).then(*events)


def test_an_image_without_a_file_is_rolled_back_too() -> None:
    without = ImageAnonymised(saga_id=ID, token=TOKEN, packet=PACKET, file=None)
    Scenario(DECISIONS).given(f"anonymisedimage-{ID}", STARTED, without).when(ROLL_BACK).then(
        AnonymisationRolledBack(saga_id=ID, file=None)
    )


@pytest.mark.parametrize("attempt", range(1, len(PAUSES) + 2))
def test_an_image_that_is_not_reached_is_tried_again_some_times(attempt: int) -> None:
    scenario = Scenario(DECISIONS).given(f"anonymisedimage-{ID}", STARTED).when(PostponeImage(saga_id=ID, attempt=attempt))
    if attempt > len(PAUSES):
        scenario.then(AnonymisationFailed(saga_id=ID, reason=NOT_REACHED))
    else:
        again_at = MIDNIGHT + PAUSES[attempt - 1]
        scenario.then(ImagePostponed(saga_id=ID, attempt=attempt, again_at=again_at))
    assert PAUSES[0] == timedelta(seconds=5)


def test_a_request_whose_texts_cannot_be_opened_fails_before_it_starts() -> None:
    Scenario(DECISIONS).when(FailAnonymisation(reason="no")).then(FAILED)
