"""Users: their ids are made of their names."""

from uuid import uuid4

import pytest
from pydantic import ValidationError

from schemas.clinical_lab.users import CreateUser, user_id_of
from schemas.sensitive import MARK


def test_a_name_belongs_to_one_user_however_it_is_written() -> None:
    assert user_id_of("Ana ") == user_id_of("ana") != user_id_of("anna")
    with pytest.raises(ValueError, match="derived from the name"):
        CreateUser(username="ana", password="password2", user_id=uuid4())


def test_an_id_need_not_be_given() -> None:
    assert CreateUser(username="Ana", password="password2").user_id == user_id_of("ana")


def test_an_encrypted_name_keeps_the_id_that_it_comes_with() -> None:
    user_id = uuid4()

    assert CreateUser(username=f"{MARK}{user_id}:secret", password="password2", user_id=user_id).user_id == user_id


def test_a_name_in_another_form_of_unicode_is_the_same_one_and_an_invisible_sign_is_rejected() -> None:
    assert (
        user_id_of("Jos\u00e9") == user_id_of("jose\u0301") == CreateUser(username="JOSE\u0301", password="password2").user_id
    )
    with pytest.raises(ValidationError) as raised:
        CreateUser(username="admin\u200b", password="password2")
    assert "is not a user name that RFC 8265 allows" in next(
        e["msg"] for e in raised.value.errors() if e["loc"] == ("username",)
    )
