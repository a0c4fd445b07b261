"""Consistency tokens: written by the command API, read by the query API."""

import pytest

from schemas.consistency_token import ConsistencyToken
from schemas.errors import Malformed
from schemas.system import ContextName

INGESTION = ContextName("data_ingestion", "ingestion")


def test_a_token_reads_as_it_writes() -> None:
    token = ConsistencyToken(INGESTION, 3, 1234)

    assert str(token) == "data_ingestion.ingestion/3@1234"
    assert ConsistencyToken.parse(str(token)) == token


@pytest.mark.parametrize("text", ["", "x", "a.b/1", "a.b/1@x", "a.b/1@" + "9" * 30, "a.b/-1@2", "a.b/1@2\n"])
def test_an_unknown_form_of_token_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        ConsistencyToken.parse(text)


def test_several_tokens_are_separated_by_commas() -> None:
    one, other = ConsistencyToken(INGESTION, 3, 1234), ConsistencyToken(INGESTION, 0, 1)

    assert ConsistencyToken.parse_all(f"{one}, {other}") == (one, other)
    with pytest.raises(Malformed):
        ConsistencyToken.parse_all(f"{one},")
