"""Parquet files: recorded once, and rolled back once."""

import pytest

from aggregates.medical_datasets.mapping import DECISIONS
from aggregates.scenario import Scenario
from schemas.medical_datasets.mapping import (
    FailMapping,
    MappingFailed,
    MappingRolledBack,
    MappingStarted,
    ParquetMapped,
    RecordParquet,
    RollbackMapping,
)
from schemas.message import Command, Event
from schemas.values.files import DeletedFile
from tests.unit.aggregates.medical_datasets.packets import ID, PACKET, PARQUET, TOKEN

KNOWN = {"token": TOKEN, "packet": PACKET}
STARTED = MappingStarted(saga_id=ID, **KNOWN)
MAPPED, FAILED = ParquetMapped(saga_id=ID, file=PARQUET, **KNOWN), MappingFailed(saga_id=ID, reason="no")
ROLLED_BACK = MappingRolledBack(saga_id=ID, file=DeletedFile(key=PARQUET.key))
RECORD, FAIL = RecordParquet(saga_id=ID, file=PARQUET, **KNOWN), FailMapping(saga_id=ID, reason="no", **KNOWN)


@pytest.mark.parametrize("saga_id", [ID, None])
def test_a_file_is_that_of_its_saga_or_of_the_command_itself(saga_id: None) -> None:
    Scenario(DECISIONS).when(RECORD.model_copy(update={"saga_id": saga_id})).then(STARTED, MAPPED)
    Scenario(DECISIONS).when(FAIL.model_copy(update={"saga_id": saga_id})).then(STARTED, FAILED)


@pytest.mark.parametrize(
    ("before", "command", "events"),
    [
        ((STARTED, MAPPED), RECORD, ()),
        ((STARTED, MAPPED), FAIL, ()),
        ((STARTED, FAILED), RECORD, ()),
        ((STARTED, MAPPED), RollbackMapping(saga_id=ID), (ROLLED_BACK,)),
        ((STARTED, MAPPED, ROLLED_BACK), RollbackMapping(saga_id=ID), ()),
        ((STARTED, FAILED), RollbackMapping(saga_id=ID), ()),
        ((), RollbackMapping(saga_id=ID), ()),
    ],
)
def test_it_goes_from_status_to_status_once(before: tuple[Event, ...], command: Command, events: tuple[Event, ...]) -> None:
    Scenario(DECISIONS).given(f"parquet-{ID}", *before).when(command).then(*events)
