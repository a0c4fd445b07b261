"""The clients' own words in parameters."""

import pytest

from query_api.queries.words import filters_of
from schemas.errors import Invalid

WORDS = {"estado": {"Aprobada": (("status", "approved"),), "Pagada": (("status", "paid"),)}}


def test_a_word_is_understood_in_any_spelling_and_another_is_answered_with_those_that_are() -> None:
    assert filters_of(WORDS, "estado", "aprobADA") == (("status", "approved"),)
    with pytest.raises(Invalid, match="debe ser Aprobada, Pagada") as raised:
        filters_of(WORDS, "estado", "otra")
    assert [one.pointer for one in raised.value.violations] == ["/estado"]
