"""The Spanish that several systems share."""

from schemas.clients.dialect import FIELD_REQUIRED, Dialect
from schemas.clients.spanish import TEXTS, WORDS, ErrorAnswer, error_answer, lengths
from schemas.errors import Forbidden, Invalid, Violation

DIALECT = Dialect(ErrorAnswer, error_answer, texts=TEXTS, words={**WORDS, **lengths((3, 254))})


def test_what_validation_finds_is_said_in_spanish() -> None:
    found = Invalid("no", [Violation("/a", FIELD_REQUIRED), Violation("/b", "Value error, should have 3 to 254 characters")])

    assert DIALECT.answer(found, "no") == ErrorAnswer(error="/a falta; /b debe tener de 3 a 254 caracteres")


def test_an_error_has_the_text_of_its_kind() -> None:
    assert DIALECT.answer(Forbidden("no"), "no") == ErrorAnswer(error="El token no permite esta operación")
