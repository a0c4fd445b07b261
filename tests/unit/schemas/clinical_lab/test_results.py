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


def test_a_patient_is_the_same_in_another_form_of_unicode() -> None:
    named = RecordResult(patient="x", patient_username="Jose\u0301", result="positive")

    assert named.patient_id == user_id_of("jos\u00e9")
    assert patient_id_of("Jos\u00e9", None) == patient_id_of("JOSE\u0301 ", None)
    with pytest.raises(ValueError, match="is not a user name"):
        RecordResult(patient="x", patient_username="admin\u200b", result="positive")
