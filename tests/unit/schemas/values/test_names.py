"""Names and passwords: two spellings are one, and what RFC 8265 does not allow is no name."""

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.values.names import (
    NaturalKey,
    _is_mark,
    _long_runs_of_marks,
    caseless,
    enforced_password,
    enforced_username,
    nfc,
)

KEY: TypeAdapter[str] = TypeAdapter(NaturalKey)
COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (COMPOSED, DECOMPOSED),
        ("ana", " ANA "),
        ("ana paz", "Ana  Paz"),
        ("\uff21\uff4e\uff41", "ana"),
        ("\u212aim", "kim"),
        ("Ana@Example.org", "ana@example.org"),
    ],
)
def test_two_spellings_of_a_user_name_are_one(one: str, other: str) -> None:
    assert enforced_username(one) == enforced_username(other)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("admin\u200b", "ignorable"),
        ("ad\u200dmin", "zero width"),
        ("\ufb01ona", "compat"),
        ("\u2167", "compat"),
        ("\u05d0a", "bidi rule"),
        ("a\tb", "controls"),
        ("\n ana", "controls"),
        ("", "empty"),
        ("  ", "empty"),
    ],
)
def test_a_name_that_the_profile_does_not_allow_is_rejected_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"is not a user name that RFC 8265 allows: .*{why}"):
        enforced_username(name)


def test_two_spellings_of_a_password_are_one_and_its_case_counts() -> None:
    assert enforced_password(DECOMPOSED) == enforced_password(COMPOSED) != enforced_password(COMPOSED.lower())
    assert enforced_password("a\u3000b\u00a0c") == "a b c"


@pytest.mark.parametrize("password", ["", "tab\tulator", "invisible\u200b"])
def test_a_password_that_the_profile_does_not_allow_is_not_repeated_in_the_error(password: str) -> None:
    with pytest.raises(ValueError, match=r"is not a password that RFC 8265 allows: [a-z ]+$"):
        enforced_password(password)


@pytest.mark.parametrize(
    ("one", "other"), [(COMPOSED, f" {DECOMPOSED.upper()} "), ("\u1fb3", "\u0391\u0345"), ("Stra\u00dfe", "STRASSE")]
)
def test_a_name_is_compared_without_case_and_form(one: str, other: str) -> None:
    assert caseless(one) == caseless(other)


def test_a_natural_key_is_in_nfc_and_within_its_length() -> None:
    assert KEY.validate_python(DECOMPOSED) == nfc(DECOMPOSED) == COMPOSED
    assert KEY.validate_python("x" * 200) == "x" * 200
    for wrong in ("", "a\nb", "\u0958" * 101):  # U+0958 becomes two characters in NFC
        with pytest.raises(ValidationError):
            KEY.validate_python(wrong)


@pytest.mark.parametrize("text", ["a" * 1001, "a " * 501])
def test_a_text_whose_check_would_take_long_is_no_name_and_no_password(text: str) -> None:
    with pytest.raises(ValueError, match="is not a user name: it has more than 1000 characters"):
        enforced_username(text)
    with pytest.raises(ValueError, match="is not a password: it has more than 1000 characters"):
        enforced_password(text)


MARKS = [chr(code) for code in range(sys.maxunicode + 1) if _is_mark(chr(code))]


def test_every_combining_mark_lies_between_the_code_points_that_are_searched() -> None:
    pattern = _long_runs_of_marks()

    assert len(MARKS) > 900
    assert all(pattern.fullmatch(mark * 31) for mark in MARKS)
    assert not any(pattern.search(text) for text in ("e" * 50, "é" * 50, MARKS[0] * 30, "각" * 50))


@given(
    st.text(st.sampled_from(MARKS) | st.characters(), max_size=10), st.lists(st.sampled_from(MARKS), min_size=31, max_size=99)
)
def test_the_composed_form_is_that_of_unicode_with_many_marks_too(text: str, marks: list[str]) -> None:
    for given_text in (text, f"{text}{''.join(marks)}{text}"):
        assert nfc(given_text) == unicodedata.normalize("NFC", given_text)


@pytest.mark.parametrize("marks", ["\u0316\u0300", "\u0300\u0316", "\u0f73", "\u0308\u0301\u05b0"])
def test_the_composed_form_of_many_marks_takes_linear_time(marks: str) -> None:
    text = "a" + "".join(mark * 50_000 for mark in marks) + marks * 50_000
    began = time.thread_time()

    composed = nfc(text)

    assert time.thread_time() - began < 2, "the library alone takes minutes"
    assert len(composed) > 50_000
