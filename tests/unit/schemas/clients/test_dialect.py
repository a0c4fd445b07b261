"""Dialects: the status and the text of each kind of error."""

import pytest
from pydantic import BaseModel

from schemas.clients.dialect import FIELD_REQUIRED, LACKING, Dialect
from schemas.errors import AlreadyExists, CaudalError, Forbidden, Invalid, Malformed, NotFound, Rejected, Violation


class Aviso(BaseModel):
    aviso: str
    clase: str


DIALECT = Dialect(
    Aviso,
    lambda text, error: Aviso(aviso=text, clase=error.kind),
    statuses={"invalid": 400},
    texts={LACKING: "Falta algo", "already_exists": "Ya existe", "not_found": lambda error: f"No hay {error.detail}"},
    words={FIELD_REQUIRED: "falta", "Input should be a valid string": "debe ser un texto"},
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            Invalid("not valid", [Violation("/a", "Input should be a valid string"), Violation("/b", "odd")]),
            "/a debe ser un texto; /b odd",
        ),
        (Invalid("not valid", [Violation("/a", "odd"), Violation("/b", FIELD_REQUIRED)]), "Falta algo"),
        (Invalid("not valid"), "not valid"),
        (Malformed("no JSON", [Violation("", "unexpected end")]), "Falta algo"),
        (Malformed("a header is wrong"), "a header is wrong"),
        (AlreadyExists("the user exists already"), "Ya existe"),
        (NotFound("user 7"), "No hay user 7"),
        (Rejected("too young"), "what may be said"),
        (Forbidden("secret"), "what may be said"),
    ],
)
def test_the_text_is_of_the_kind_of_error_or_the_errors_own(error: CaudalError, text: str) -> None:
    assert DIALECT.answer(error, "what may be said") == Aviso(aviso=text, clase=error.kind)


def test_a_status_is_the_engines_unless_the_table_has_one() -> None:
    assert (DIALECT.status_of("invalid", 422), DIALECT.status_of("not_found", 404)) == (400, 404)


def test_a_path_may_have_texts_of_its_own() -> None:
    own = DIALECT.saying(not_found="No hay tal resultado")

    assert own.answer(NotFound("user 7"), "") == Aviso(aviso="No hay tal resultado", clase="not_found")
    assert own.answer(AlreadyExists(), "") == Aviso(aviso="Ya existe", clase="already_exists")
    assert DIALECT.answer(NotFound("user 7"), "") == Aviso(aviso="No hay user 7", clase="not_found")
