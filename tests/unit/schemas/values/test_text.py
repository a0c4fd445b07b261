"""Text that every store can keep."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.values.text import Identifier, mailbox, without_control_characters

IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


@pytest.mark.parametrize("text", ["", "acme", "ñ 😀", "a b", "x" * 1000])
def test_text_without_control_characters_is_returned_unchanged(text: str) -> None:
    assert without_control_characters(text) == text


@pytest.mark.parametrize("text", ["a\x00", "a\nb", "\x7f", "\x85", "a\u2028b", "\u2029", "\ud800", "\udfff"])
def test_text_that_not_every_store_can_keep_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="control characters or lone surrogates"):
        without_control_characters(text)


@pytest.mark.parametrize("text", ["ana@example.org", "a.b+c@example.org", '"a b"@example.org'])
def test_the_address_of_one_mailbox_is_returned_unchanged(text: str) -> None:
    assert mailbox(text) == text


@pytest.mark.parametrize(
    "text", ["", "ana", "@example.org", "ana@", "a@b.org, c@d.org", "Ana <ana@b.org>", "a@b.org\nBcc: c@d.org", " a@b.org", '"']
)
def test_an_invalid_mailbox_address_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is not the address of one mailbox"):
        mailbox(text)


def test_an_identifier_has_1_to_200_characters_and_is_text() -> None:
    assert IDENTIFIER.validate_python("x" * 200) == "x" * 200
    for wrong in ("", "x" * 201, 5, "a\nb"):
        with pytest.raises(ValidationError):
            IDENTIFIER.validate_python(wrong)
