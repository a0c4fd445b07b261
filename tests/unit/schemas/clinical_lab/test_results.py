"""Results: the patients whose they are."""

import pytest

from schemas.clinical_lab.results import RecordResult, patient_id_of
from schemas.clinical_lab.users import user_id_of

ANA = user_id_of("ana")


def test_a_patient_is_the_user_who_is_named_and_nobody_whose_name_is_only_the_same() -> None:
    assert patient_id_of("Ana Paz", "ana") == ANA
    assert patient_id_of("ana", None) != ANA
    with pytest.raises(ValueError, match="derived from the name"):
        RecordResult(patient="Ana Paz", result="positive", patient_id=ANA)


def test_an_id_need_not_be_given() -> None:
    assert RecordResult(patient="Ana Paz", patient_username="ana", result="positive").patient_id == ANA
    assert RecordResult(patient="Ana Paz", result="positive").patient_id == patient_id_of(" ana paz", None)
