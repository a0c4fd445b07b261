"""JSON pointers, by the examples of RFC 6901."""

import pytest

from schemas.pointer import pointer_of, step


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ([], ""),
        (["foo", 0], "/foo/0"),
        ([""], "/"),
        (["a/b"], "/a~1b"),
        (["m~n"], "/m~0n"),
        (["~1"], "/~01"),
        ([" ", "ñ"], "/ /ñ"),
    ],
)
def test_a_pointer_escapes_what_separates_names(path: list[str | int], pointer: str) -> None:
    assert pointer_of(path) == pointer


def test_a_step_leads_one_level_deeper() -> None:
    assert step("/foo", "a/b") == "/foo/a~1b"
