"""Patients: a result names only users who exist."""

import pytest

from aggregates.clinical_lab.users import User
from command_api.clinical_lab.patients import check_patient
from schemas.clinical_lab.results import RecordResult
from schemas.errors import Rejected
from tests.unit.command_api.activity_context import context_of, sent

NAMED = RecordResult(patient="Ana Paz", patient_username="ana", result="positive")


async def test_a_result_of_a_user_is_decided_unchanged() -> None:
    assert await check_patient(sent(NAMED), context_of(user=User(role="patient"))) == NAMED


async def test_a_patient_without_a_user_need_not_exist() -> None:
    command = RecordResult(patient="Ana Paz", result="positive")
    assert await check_patient(sent(command), context_of()) == command


async def test_a_user_who_does_not_exist_is_no_patient() -> None:
    with pytest.raises(Rejected, match="no user of the patient's name"):
        await check_patient(sent(NAMED), context_of())
