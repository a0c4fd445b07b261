"""Numbers of the laboratory: the last one that was given."""

from uuid import UUID

from aggregates.clinical_lab.numbers import Numbers, take_number
from schemas.clinical_lab.results import NumberTaken
from schemas.clinical_lab.users import UserNumberTaken


def test_the_last_number_is_remembered_of_users_and_of_results() -> None:
    assert Numbers().last == 0
    assert take_number(Numbers(last=7), NumberTaken(number=8, result_id=UUID(int=1))) == Numbers(last=8)
    assert take_number(Numbers(), UserNumberTaken(number=1, user_id=UUID(int=1))) == Numbers(last=1)
