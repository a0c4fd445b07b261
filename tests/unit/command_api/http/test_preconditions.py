"""Preconditions: what headers say of the stream that a command is about."""

import pytest

from command_api.http.preconditions import check_stated, expectation
from schemas.errors import Malformed, PreconditionFailed, PreconditionRequired
from schemas.expected_version import ANY_VERSION, NO_STREAM, STREAM_EXISTS, ExpectedVersion
from schemas.system import Context


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "expected"),
    [
        (None, None, ANY_VERSION),
        ('"3"', None, ExpectedVersion.exact(3)),
        ('"0"', None, NO_STREAM),
        ("*", None, STREAM_EXISTS),
        (None, "*", NO_STREAM),
    ],
)
def test_the_headers_become_an_expected_version(
    if_match: str | None, if_none_match: str | None, expected: ExpectedVersion
) -> None:
    assert expectation(if_match, if_none_match) == expected


@pytest.mark.parametrize(
    ("if_match", "if_none_match"),
    [("3", None), ('"x"', None), ('"1", "2"', None), ("", None), (None, '"3"'), ("*", "*"), ('"99999999999"', None)],
)
def test_invalid_preconditions_are_rejected(if_match: str | None, if_none_match: str | None) -> None:
    with pytest.raises(Malformed):
        expectation(if_match, if_none_match)


def test_a_weak_entity_tag_never_matches() -> None:
    with pytest.raises(PreconditionFailed):
        expectation('W/"3"', None)
    with pytest.raises(Malformed):
        expectation('W/"a"', None)


def test_a_context_may_demand_that_something_is_expected() -> None:
    careful = Context("ledger", requires_expected_version=True)

    check_stated(Context("notes"), ANY_VERSION)
    check_stated(careful, NO_STREAM)
    with pytest.raises(PreconditionRequired):
        check_stated(careful, ANY_VERSION)
