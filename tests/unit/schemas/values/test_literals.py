"""Literals: the grammar of JSON and of RFC 9562, and none of what Python reads besides."""

from uuid import UUID

import pytest

from schemas.values.literals import read_integer, read_number, read_uuid

ID = "01940000-0000-7000-8000-0000000000ff"
PYTHONS_OWN = [
    *["1_0", "\uff11", "\u0661\u0662", "\u00b2", " 5", "5 ", "5\n", "+5", "05", "-05", "0x1f", "0b1", "--5", "-", "", "true"],
    *["nan", "inf", "-inf", "Infinity", "1\x00"],
]


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("-0", 0), ("-7", -7), ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))]
)
def test_integers_of_64_bits_are_read(text: str, value: int) -> None:
    assert read_integer(text) == value


@pytest.mark.parametrize("text", [*PYTHONS_OWN, "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "9" * 5000])
def test_other_text_is_no_integer(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an integer as JSON writes it|is out of range"):
        read_integer(text)


def test_an_integer_has_the_bounds_that_are_given() -> None:
    assert read_integer("2147483647", 0, 2**31 - 1) == 2147483647
    for text in ("2147483648", "-1"):
        with pytest.raises(ValueError, match="is out of range: from 0 to 2147483647"):
            read_integer(text, 0, 2**31 - 1)


@pytest.mark.parametrize(
    ("text", "value"), [("1.5", 1.5), ("-0.5", -0.5), ("1e5", 1e5), ("2.5E-1", 0.25), ("7", 7.0), ("5e-324", 5e-324)]
)
def test_finite_numbers_are_read(text: str, value: float) -> None:
    assert read_number(text) == value


@pytest.mark.parametrize("text", [*PYTHONS_OWN, ".5", "5.", "1e", "1_0.0", "1,5", "1e400", "-1e999", "9" * 400])
def test_other_text_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number as JSON writes it|is out of range"):
        read_number(text)


@pytest.mark.parametrize("text", [ID, ID.upper()])
def test_a_uuid_is_read_in_any_case(text: str) -> None:
    assert read_uuid(text) == UUID(ID)


@pytest.mark.parametrize(
    "text",
    [
        ID.replace("-", ""),
        f"{{{ID}}}",
        f"urn:uuid:{ID}",
        f" {ID}",
        f"{ID}\n",
        ID.replace("0000-7000", "00007-000"),
        ID.replace("0194", "0x19"),
        ID.replace("0194", "0_94"),
        ID.replace("0194", "\uff10194"),
        ID[:-1],
        "",
    ],
)
def test_other_text_is_no_uuid(text: str) -> None:
    with pytest.raises(ValueError, match="is not a UUID"):
        read_uuid(text)
