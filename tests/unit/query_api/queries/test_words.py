"""The clients' own words in parameters."""

import pytest

from query_api.queries.words import word_of
from schemas.errors import Invalid

WORDS = {"Aprobada": "approved", "Pagada": "paid"}


def test_a_word_is_understood_in_any_spelling_and_another_is_named_with_those_that_are() -> None:
    assert word_of(WORDS, "estado", "aprobADA") == "approved"
    with pytest.raises(Invalid, match="debe ser Aprobada, Pagada") as raised:
        word_of(WORDS, "estado", "otra")
    assert [one.pointer for one in raised.value.violations] == ["/estado"]
