"""Expected versions: which versions of a stream they allow, and what errors call them."""

import pytest

from schemas.expected_version import ANY_VERSION, NO_STREAM, STREAM_EXISTS, ExpectedVersion


@pytest.mark.parametrize(
    ("expected", "allowed"),
    [(ExpectedVersion.exact(2), {2}), (NO_STREAM, {0}), (STREAM_EXISTS, {1, 2, 3}), (ANY_VERSION, {0, 1, 2, 3})],
)
def test_which_versions_are_as_expected(expected: ExpectedVersion, allowed: set[int]) -> None:
    assert {version for version in range(4) if expected.allows(version)} == allowed


def test_no_stream_is_at_a_negative_version() -> None:
    with pytest.raises(ValueError, match="-1"):
        ExpectedVersion.exact(-1)


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        (ExpectedVersion.exact(0), "no stream"),
        (ExpectedVersion.exact(3), "version 3"),
        (STREAM_EXISTS, "an existing stream"),
        (ANY_VERSION, "any version"),
    ],
)
def test_an_error_can_name_what_was_expected(expected: ExpectedVersion, name: str) -> None:
    assert str(expected) == name
