"""The log of the laboratory's sagas: one row for each event, without the texts that are encrypted."""

from typing import Any
from uuid import UUID

import pytest

from aggregates.clinical_lab import sagas
from aggregates.scenario import MIDNIGHT
from projectors.clinical_lab.saga_entries import PROJECTIONS, SAGAS
from schemas.engine.sagas import SagaAdvanced, SagaInput
from schemas.sensitive import MARK
from tests.unit.projectors.applied import applied

ENTRIES = PROJECTIONS[0]
DATA = {"user_id": "u-1", "username": f"{MARK}u-1:xx", "role": "patient", "number": 1}


def step(saga: str = "clinical_lab.registration", kind: Any = "event", **changes: Any) -> SagaAdvanced:
    input = SagaInput(kind=kind, id=UUID(int=1), name="UserCreated", at=MIDNIGHT, data=DATA)
    fields: dict[str, Any] = {"saga": saga, "key": "7", "input": input, "step_status": "handled", "status": "running"}
    return SagaAdvanced(**{**fields, **changes})


def test_an_event_is_shown_with_null_for_each_encrypted_text() -> None:
    row = applied(ENTRIES, step(references={"user_id": "u-1"}))

    assert (row.event_type, row.status, row.saga, row.created_at) == (
        "UserCreated",
        "handled",
        "clinical_lab.registration",
        MIDNIGHT,
    )
    assert row.data == {**DATA, "username": None}
    assert row.reference_ids == ("u-1",)
    assert row.position > 0


def test_an_event_that_waited_keeps_its_number_and_its_time() -> None:
    first = applied(ENTRIES, step(step_status="received")).replace(position=7)

    row = applied(ENTRIES, step(), row=first)
    assert (first.status, row.status, row.position) == ("received", "handled", 7)


@pytest.mark.parametrize(
    ("saga", "kind"),
    [
        ("clinical_lab.redelivery", "event"),
        ("partner_alliances.onboarding", "event"),
        ("clinical_lab.result", "timer"),
        ("clinical_lab.result", "retry"),
    ],
)
def test_other_sagas_and_other_inputs_are_not_shown(saga: str, kind: str) -> None:
    assert applied(ENTRIES, step(saga, kind)) is None


def test_the_sagas_are_those_of_the_laboratory() -> None:
    assert {f"clinical_lab.{saga.name}" for saga in sagas.SAGAS} == SAGAS
