"""The clinical laboratory's own paths: bodies become commands, and receipts answers."""

from uuid import UUID

import pytest
from pydantic import ValidationError

from command_api.clinical_lab.paths import Login, NewUser, create_user, number_and_id
from schemas.clinical_lab.results import NumberTaken, ResultRecorded
from schemas.clinical_lab.users import CreateUser
from schemas.envelope import Receipt


@pytest.mark.parametrize(
    ("given", "role"), [(1, "clinician"), (2, "patient"), ("clinician", "clinician"), ("patient", "patient")]
)
def test_a_role_is_a_number_or_a_name(given: object, role: str) -> None:
    command = create_user(NewUser.model_validate({"username": "ana", "password": "password2", "role": given}), {})

    assert isinstance(command, CreateUser)
    assert (command.username, command.role) == ("ana", role)


def test_a_result_is_answered_with_its_number_and_its_id() -> None:
    id = UUID(int=1)
    recorded = ResultRecorded(result_id=id, number=8, patient_id=id, clinician_id="dr", patient="s", result="s")
    receipt = Receipt(command_id=id, stream=f"result-{id}", version=1, position=2, partition=0)

    assert number_and_id(receipt, [NumberTaken(number=8, result_id=id), recorded]) == {"id": 8, "result_id": str(id)}


def test_a_name_that_no_user_can_have_is_not_looked_up() -> None:
    assert Login(username=" Jose\u0301 ", password="x").username == "jos\u00e9"
    with pytest.raises(ValidationError, match="is no user name that RFC 8265 allows"):
        Login(username="admin\u200b", password="x")
