"""The saga of a request: every way to its dataset, or back to nothing in the opposite order."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from aggregates.medical_datasets.anonymising import ANONYMISING
from aggregates.sagas.scenario import SagaScenario
from aggregates.scenario import MIDNIGHT
from schemas.medical_datasets.anonymisation import (
    AnonymisationFailed,
    AnonymiseImage,
    ImagePostponed,
    RollbackAnonymisation,
)
from schemas.medical_datasets.mapping import MapPacket, MappingFailed, MappingStarted, ParquetMapped, RollbackMapping
from schemas.medical_datasets.notifications import RequestNotification
from schemas.medical_datasets.processing import (
    BuildDataset,
    DatasetCreated,
    ProcessingFailed,
    ProcessingStarted,
    RollbackProcessing,
)
from schemas.values.times import later
from tests.unit.aggregates.medical_datasets.packets import ANONYMISED, ID, IMAGE, PACKET, PARQUET, STARTED, TOKEN

KNOWN = {"saga_id": ID, "token": TOKEN, "packet": PACKET}
FETCH = AnonymiseImage(saga_id=ID, token=TOKEN, packet=PACKET, image_url=STARTED.image_url)
MAP, BUILD = MapPacket(image=IMAGE, **KNOWN), BuildDataset(**KNOWN)
MAPPING, MAPPED = MappingStarted(**KNOWN), ParquetMapped(file=PARQUET, **KNOWN)
OF_DATASET = {"packet_id": str(ID), "saga_id": ID}
CREATED = DatasetCreated(**OF_DATASET, token=TOKEN, record_id=None, packet=PACKET)
A_MINUTE = timedelta(minutes=1)


def anonymised() -> SagaScenario:
    return SagaScenario(ANONYMISING).happens(STARTED).sends(FETCH).accepts().happens(ANONYMISED).sends(MAP)


def mapped() -> SagaScenario:
    return anonymised().accepts().happens(MAPPING).sends().happens(MAPPED).sends(BUILD)


def test_a_request_becomes_a_dataset() -> None:
    story = mapped().accepts().happens(CREATED).becomes("completed")
    story.waits(10 * A_MINUTE).sends().becomes("completed")


def test_a_parquet_file_that_a_client_asked_for_begins_in_the_middle() -> None:
    build = BuildDataset(saga_id=ID, token=None, packet=PACKET)
    by_hand = {**KNOWN, "token": None}
    story = SagaScenario(ANONYMISING).happens(MappingStarted(**by_hand)).sends().happens(ParquetMapped(file=PARQUET, **by_hand))
    story.sends(build).accepts().happens(CREATED).becomes("completed")


def test_a_file_that_a_client_asked_for_is_deleted_if_its_dataset_fails() -> None:
    by_hand = {**KNOWN, "token": None}
    story = SagaScenario(ANONYMISING).happens(MappingStarted(**by_hand)).happens(ParquetMapped(file=PARQUET, **by_hand))
    story.sends(BuildDataset(saga_id=ID, token=None, packet=PACKET)).accepts()
    story.happens(ProcessingFailed(**OF_DATASET, reason="no"))
    story.sends(RollbackMapping(saga_id=ID)).accepts().sends(RollbackProcessing(saga_id=ID)).accepts()
    story.becomes("failed", because="no")


def test_an_image_that_is_not_reached_is_fetched_again() -> None:
    story = SagaScenario(ANONYMISING).happens(STARTED).sends(FETCH).accepts()
    again_at = later(MIDNIGHT, timedelta(seconds=5))
    story.happens(ImagePostponed(saga_id=ID, attempt=1, again_at=again_at)).sends()
    story.waits(timedelta(seconds=6)).sends(FETCH.model_copy(update={"attempt": 2})).accepts()
    story.happens(ANONYMISED).sends(MAP)


def test_a_failed_anonymisation_leaves_nothing() -> None:
    story = SagaScenario(ANONYMISING).happens(STARTED).sends(FETCH).accepts()
    story.happens(AnonymisationFailed(saga_id=ID, reason="no")).sends(RollbackAnonymisation(saga_id=ID)).accepts()
    story.becomes("failed", because="no")


def test_a_failed_mapping_is_rolled_back() -> None:
    story = anonymised().accepts().happens(MAPPING).happens(MappingFailed(saga_id=ID, reason="no"))
    story.sends(RollbackMapping(saga_id=ID)).accepts().sends(RollbackAnonymisation(saga_id=ID)).accepts()
    story.becomes("failed", because="no")


def test_a_failed_dataset_is_rolled_back_in_the_opposite_order() -> None:
    failed = ProcessingFailed(**OF_DATASET, reason="no")
    story = mapped().accepts().happens(failed).sends(RollbackProcessing(saga_id=ID)).accepts()
    story.sends(RollbackMapping(saga_id=ID)).accepts().sends(RollbackAnonymisation(saga_id=ID)).accepts()
    story.becomes("failed", because="no")


@pytest.mark.parametrize("at", [anonymised, mapped])
def test_a_step_that_takes_too_long_fails_the_saga_and_the_operator_gets_mail(at: Callable[[], SagaScenario]) -> None:
    story = at().accepts().waits(2 * A_MINUTE)
    story.sends(RequestNotification(kind="took_too_long", cause=f"dataset-{ID}", recipients=("operator",), about=str(ID)))
    story.becomes("compensating")


def test_one_of_a_client_that_takes_too_long_is_said_to_be_a_dataset() -> None:
    by_hand = {**KNOWN, "token": None}
    story = SagaScenario(ANONYMISING).happens(MappingStarted(**by_hand)).happens(ParquetMapped(file=PARQUET, **by_hand))
    story.sends(BuildDataset(saga_id=ID, token=None, packet=PACKET)).accepts().waits(2 * A_MINUTE)
    mail = RequestNotification(kind="dataset_took_too_long", cause=f"dataset-{ID}", recipients=("operator",), about=str(ID))
    story.sends(RollbackMapping(saga_id=ID), mail)


def test_the_start_of_processing_changes_nothing() -> None:
    assert ProcessingStarted not in ANONYMISING.reactions
