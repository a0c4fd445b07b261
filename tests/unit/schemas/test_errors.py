"""Errors: their kinds, and what clients may read of them. JSON pointers, by the examples of RFC 6901."""

import pytest

from schemas.errors import (
    CaudalError,
    Conflict,
    Invalid,
    Malformed,
    NotYetSeen,
    Rejected,
    Unauthenticated,
    Unavailable,
    Violation,
    pointer_of,
    step,
)


def descendants(error: type[CaudalError]) -> set[type[CaudalError]]:
    children = {child for child in error.__subclasses__() if child.__module__ == "schemas.errors"}
    return children.union(*map(descendants, children))


def own_kinds() -> list[type[CaudalError]]:
    return sorted((one for one in descendants(CaudalError) if "kind" in vars(one)), key=lambda one: one.__name__)


@pytest.mark.parametrize("error", own_kinds(), ids=lambda error: error.__name__)
def test_no_other_error_has_the_kind_of_this_one(error: type[CaudalError]) -> None:
    every: list[type[CaudalError]] = [CaudalError, *own_kinds()]

    assert [one for one in every if one.kind == error.kind] == [error]


def test_the_violations_are_one_line() -> None:
    assert Invalid("the body is not valid", [Violation("/a", "is long"), Violation("", "is no object")]).reasons == (
        "/a is long; is no object"
    )
    assert Invalid("the body is not valid").reasons == "the body is not valid"


def test_an_error_without_a_message_is_described_by_its_class() -> None:
    assert Conflict("it is at version 3").detail == "it is at version 3"
    assert Conflict().detail == Conflict.__doc__


def test_invalid_input_keeps_every_violation() -> None:
    violations = [Violation("/a", "is missing"), Violation("/b", "is no number")]

    assert Invalid("the body is not valid", violations).violations == tuple(violations)
    assert isinstance(Malformed("no JSON"), Invalid)


def test_a_rejection_keeps_the_request_that_was_rejected_first() -> None:
    assert (Rejected("no", correlation_id="one").correlation_id, Rejected("no").correlation_id) == ("one", None)


def test_clients_do_not_read_what_a_driver_says() -> None:
    error = Unavailable("the log is out of reach", "password of caudal_writer is wrong")

    assert error.public == "the log is out of reach"
    assert error.detail == "the log is out of reach: password of caudal_writer is wrong"
    assert NotYetSeen().public == NotYetSeen.__doc__


def test_a_caller_without_a_token_is_distinguished_from_one_with_a_bad_token() -> None:
    assert Unauthenticated("expired").had_token
    assert not Unauthenticated(had_token=False).had_token


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
