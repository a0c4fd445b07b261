"""Images: recorded under a pseudonym of their own, which a repeat has again."""

from uuid import UUID

import pytest

from aggregates.health_subscriptions.imaging import DECISIONS, FETCHING, PAUSES, POLICIES, Image, quarantined
from aggregates.sagas.scenario import SagaScenario
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario, recorded
from schemas.engine.privacy import EraseSubject
from schemas.errors import AlreadyExists, DoesNotExist, Rejected
from schemas.health_subscriptions.imaging import (
    AnonymiseImage,
    DeleteQuarantinedFile,
    DiscardImage,
    FetchImage,
    ImageAnonymised,
    ImageDiscarded,
    ImagePostponed,
    ImageQueried,
    ImageRejected,
    ImageReleased,
    PostponeImage,
    QuarantinedFileDeleted,
    QuarantineImage,
    QueryImage,
    RecordImage,
    RecordRelease,
    RejectImage,
)
from schemas.message import Event
from schemas.values.dicom import DicomFile, QuarantinedFile

COMMAND = AnonymiseImage(
    image_id="46769a88-181f-4468-8i34",
    modality="Rayos X",
    pathology="Neumonia",
    anatomical_region="Craneo",
    image_format="DICOM",
)


def anonymised(id: UUID, **changes: int) -> ImageAnonymised:
    (event,) = Scenario(DECISIONS).when(COMMAND.model_copy(update=changes), id=id).recorded
    assert isinstance(event, ImageAnonymised)
    return event


def test_each_image_has_a_pseudonym_of_its_own_and_the_year_in_which_it_came() -> None:
    first, again, other = anonymised(FIRST_ID), anonymised(FIRST_ID), anonymised(UUID(int=9))

    assert first == again
    assert first.patient_id != other.patient_id
    assert (first.image_id, first.ingested_year) == (COMMAND.image_id, MIDNIGHT.year)
    assert anonymised(FIRST_ID, ingested_year=1999).ingested_year == 1999


def test_a_look_up_is_recorded_with_the_caller() -> None:
    Scenario(DECISIONS).when(QueryImage(number_or_id="7"), actor="eva").then(
        ImageQueried(query_id=FIRST_ID, number_or_id="7", queried_by="eva")
    )


FILE = DicomFile(
    key="images/a.dcm",
    sha256="a",
    bytes=4,
    modality="CT",
    transfer_syntax="1",
    sop_class="2",
    rows=1,
    columns=1,
    frames=1,
)
QUARANTINE = QuarantineImage(**dict(COMMAND), file=QuarantinedFile(key="quarantine/1", bytes=4, reason="posible texto"))
ID = {"quarantine_id": FIRST_ID}
QUARANTINED = Scenario(DECISIONS).when(QUARANTINE, id=FIRST_ID).recorded


def test_an_image_with_a_file_is_recorded_with_it() -> None:
    (event,) = Scenario(DECISIONS).when(RecordImage(**dict(COMMAND), file=FILE), id=FIRST_ID).recorded

    assert event == anonymised(FIRST_ID).model_copy(update={"file": FILE})


def test_an_image_in_quarantine_is_recorded_as_it_was_described_when_it_is_released() -> None:
    released = (
        Scenario(DECISIONS)
        .given(f"image-{FIRST_ID}", *QUARANTINED)
        .when(RecordRelease(**ID, modality="CT", file=FILE))
        .recorded
    )

    assert released == (ImageReleased(**ID), anonymised(FIRST_ID).model_copy(update={"modality": "CT", "file": FILE}))


def test_an_image_leaves_the_quarantine_once_and_its_file_is_deleted_once() -> None:
    discarded = Scenario(DECISIONS).given(f"image-{FIRST_ID}", *QUARANTINED).when(DiscardImage(**ID)).recorded
    deleted = (
        Scenario(DECISIONS).given(f"image-{FIRST_ID}", *QUARANTINED, *discarded).when(DeleteQuarantinedFile(**ID)).recorded
    )
    released = (
        Scenario(DECISIONS)
        .given(f"image-{FIRST_ID}", *QUARANTINED)
        .when(RecordRelease(**ID, modality="CT", file=FILE))
        .recorded
    )

    assert (discarded, deleted) == ((ImageDiscarded(**ID),), (QuarantinedFileDeleted(**ID),))
    Scenario(DECISIONS).given(f"image-{FIRST_ID}", *QUARANTINED, *discarded, *deleted).when(DeleteQuarantinedFile(**ID)).then()
    Scenario(DECISIONS).given(f"image-{FIRST_ID}", *QUARANTINED).when(DeleteQuarantinedFile(**ID)).then()
    for gone in (discarded, released):
        for command in (DiscardImage(**ID), RecordRelease(**ID, modality="CT", file=FILE)):
            Scenario(DECISIONS).given(f"image-{FIRST_ID}", *QUARANTINED, *gone).when(command).then_rejected(
                Rejected, "La imagen no está en cuarentena"
            )


def test_an_image_that_was_not_fetched_is_recorded_with_the_reason() -> None:
    Scenario(DECISIONS).when(RejectImage(image_id="i", reason="no es un archivo DICOM")).then(
        ImageRejected(image_id="i", reason="no es un archivo DICOM")
    )


def test_the_file_of_an_image_that_left_the_quarantine_is_deleted() -> None:
    (policy,) = POLICIES

    for event in (ImageReleased(**ID), ImageDiscarded(**ID)):
        assert [command for _, command in policy.react(recorded(event))] == [
            DeleteQuarantinedFile(**ID),
            EraseSubject(subject=f"quarantine {FIRST_ID}", in_advance=True),
        ]


URL = "encrypted:1:addresses of images:x"


def test_a_file_whose_source_does_not_answer_is_fetched_again_until_the_last_attempt() -> None:
    def failed(attempt: int) -> Event:
        command = PostponeImage(**dict(COMMAND), url=URL, attempt=attempt)
        (event,) = Scenario(DECISIONS).when(command, id=FIRST_ID).recorded
        return event

    postponed = [failed(attempt) for attempt in (1, 2, 3)]
    assert [one.again_at - MIDNIGHT for one in postponed if isinstance(one, ImagePostponed)] == list(PAUSES)
    assert failed(4) == ImageRejected(image_id=COMMAND.image_id, reason="La fuente de la imagen no responde")


def test_the_next_attempt_is_a_command_with_the_same_url() -> None:
    command = PostponeImage(**dict(COMMAND), url=URL, attempt=2)
    (event,) = Scenario(DECISIONS).when(command, id=FIRST_ID).recorded
    assert isinstance(event, ImagePostponed)

    story = SagaScenario(FETCHING).happens(event).waits(PAUSES[1])

    fields = {**dict(COMMAND), "ingested_year": MIDNIGHT.year}
    story.sends(FetchImage(**fields, request_id=FIRST_ID, url=URL, attempt=3)).becomes("running")
    again = event.model_copy(update={"attempt": 3, "again_at": event.again_at + PAUSES[1] + PAUSES[2]})
    story.accepts().happens(again).waits(PAUSES[1] + PAUSES[2])
    story.sends(FetchImage(**fields, request_id=FIRST_ID, url=URL, attempt=4))
    story.accepts().happens(ImageRejected(image_id="i", reason="x", request_id=FIRST_ID)).becomes("completed")


def test_an_image_whose_next_attempt_is_rejected_is_rejected_too() -> None:
    (event,) = Scenario(DECISIONS).when(PostponeImage(**dict(COMMAND), url=URL), id=FIRST_ID).recorded

    story = SagaScenario(FETCHING).happens(event).waits(PAUSES[0]).rejects("the data subject was erased")

    story.sends(RejectImage(image_id=COMMAND.image_id, reason="La fuente de la imagen no responde", request_id=FIRST_ID))
    story.accepts().happens(ImageRejected(image_id="i", reason="x", request_id=FIRST_ID)).becomes("completed")


def test_an_image_that_is_fetched_at_once_has_no_saga() -> None:
    fetched = anonymised(FIRST_ID).model_copy(update={"request_id": FIRST_ID})

    assert SagaScenario(FETCHING).happens(fetched).saga.status == "running"
    assert not SagaScenario(FETCHING).happens(fetched).steps


def test_what_never_was_in_quarantine_is_not_released() -> None:
    with pytest.raises(DoesNotExist):
        quarantined(Image())


def test_the_file_of_a_postponed_image_is_recorded_once_in_the_stream_of_its_request() -> None:
    (postponed,) = Scenario(DECISIONS).when(PostponeImage(**dict(COMMAND), url=URL), id=FIRST_ID).recorded
    later = RecordImage(**dict(COMMAND), request_id=FIRST_ID, file=FILE)

    done = Scenario(DECISIONS).given(f"image-{FIRST_ID}", postponed).when(later, id=UUID(int=9)).recorded

    assert done == (anonymised(FIRST_ID).model_copy(update={"file": FILE, "request_id": FIRST_ID}),)
    scenario = Scenario(DECISIONS).given(f"image-{FIRST_ID}", postponed, *done)
    for command in (later, RejectImage(image_id="i", reason="x", request_id=FIRST_ID)):
        scenario.when(command, id=UUID(int=10)).then()


def test_an_upload_whose_receipt_has_expired_exists_already() -> None:
    for recorded_before in (QUARANTINED, (anonymised(FIRST_ID),)):
        for command in (QUARANTINE, RecordImage(**dict(COMMAND), file=FILE)):
            scenario = Scenario(DECISIONS).given(f"image-{FIRST_ID}", *recorded_before)
            scenario.when(command, id=FIRST_ID).then_rejected(AlreadyExists)
