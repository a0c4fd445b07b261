"""Sensitive fields: whole fields of commands, and no part of one."""

from typing import Annotated

import pytest
from pydantic import BaseModel

from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.message import Command
from schemas.sensitive import (
    MARK,
    OptionalSensitiveUsername,
    Password,
    Sensitive,
    SensitiveUsername,
    password_fields,
    secret_fields,
    sensitive_fields,
    without_encrypted,
)
from schemas.system import Context, System


class Address(BaseModel):
    street: Annotated[str, Sensitive()]


class Register(Command, subject="who"):
    who: str
    name: Annotated[str, Sensitive()]
    email: Annotated[str | None, Sensitive()] = None
    password: Annotated[str, Password(), Sensitive()]


class Hidden(Command, subject="who"):
    who: str
    one: Annotated[str, Sensitive()] | None = None
    many: tuple[Annotated[str, Password()], ...] = ()
    deep: Address | None = None


def test_marked_fields_are_found() -> None:
    Catalog.of([System("s", (Context("c", (Register,)),))])

    assert list(sensitive_fields(Register)) == ["name", "email", "password"]
    assert list(password_fields(Register)) == ["password"]
    assert secret_fields(Register) == {"name", "email", "password"}


def test_a_mark_where_it_would_mean_nothing_is_rejected() -> None:
    with pytest.raises(Misconfigured, match="a part of the type of one, many, deep:"):
        Catalog.of([System("s", (Context("c", (Hidden,)),))])


def test_an_optional_password_may_be_missing() -> None:
    class Change(Command, subject="who"):
        who: str
        password: Annotated[str | None, Password(), Sensitive()] = None

    assert Change(who="a", password=None).password is None
    with pytest.raises(ValueError, match="should have 8 to 200 characters"):
        Change(who="a", password="short")


def test_a_password_may_be_shorter_in_the_profile_for_trying() -> None:
    class Try(Command, subject="who"):
        who: str
        password: Annotated[str, Password(min_length_in_seed=6), Sensitive()]

    (mark,) = password_fields(Try).values()
    schema = Try.model_json_schema()["properties"]["password"]
    assert (Try(who="a", password="pass12").password, schema["minLength"]) == ("pass12", 6)
    assert mark.why_too_short("pass123") == "should have 8 to 200 characters"
    assert mark.why_too_short("pass1234") is None
    assert schema["x-rules"][1:] == ["should have 6 to 200 characters", "should have 8 to 200 characters"]
    with pytest.raises(ValueError, match="should have 6 to 200 characters"):
        Try(who="a", password="pass1")


def test_a_password_whose_hash_would_not_be_encrypted_is_rejected() -> None:
    class Enter(Command, subject="who"):
        who: str
        password: Annotated[str, Password()]

    with pytest.raises(Misconfigured, match=r"Enter has passwords \(password\) whose hashes would not be encrypted"):
        Catalog.of([System("s", (Context("c", (Enter,)),))])


def test_a_password_is_kept_in_the_form_in_which_it_is_compared() -> None:
    def made(password: str) -> str:
        return Register(who="a", name="n", password=password).password

    assert made("contrasen\u0303a") == made("contrase\u00f1a") == "contrase\u00f1a"
    with pytest.raises(ValueError, match="should have 8 to 200 characters"):
        made("e\u0301" * 4)
    with pytest.raises(ValueError, match="is not a password that RFC 8265 allows"):
        made("password\u200b")


def test_a_user_name_is_kept_as_it_is_given_if_it_is_one() -> None:
    class Join(Command, subject="who"):
        who: str
        name: SensitiveUsername
        sponsor: OptionalSensitiveUsername = None

    assert list(sensitive_fields(Join)) == ["name", "sponsor"]
    assert Join(who="a", name="Jose\u0301").name == "Jose\u0301"
    for fields in ({"name": "admin\u200b"}, {"name": "ana", "sponsor": "\u2167"}):
        with pytest.raises(ValueError, match="is not a user name that RFC 8265 allows"):
            Join.model_validate({"who": "a", **fields})


def test_encrypted_texts_are_left_out_at_every_depth() -> None:
    assert without_encrypted({"a": [{"b": f"{MARK}x:y"}, "plain"], "c": (f"{MARK}x:y", 1, None)}) == {
        "a": [{"b": None}, "plain"],
        "c": [None, 1, None],
    }
