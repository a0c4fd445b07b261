"""Parameters of paths that know all of theirs."""

import pytest
from starlette.requests import Request

from query_api.http.parameters import Parameters
from schemas.errors import Invalid


def request(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def test_values_are_read_by_their_kind() -> None:
    parameters = Parameters(request("from=3&type=A&type=B&limit=7"), "from", "type", "limit", "after")

    assert parameters.has("from")
    assert not parameters.has("after")
    assert (parameters.version("from", 0), parameters.position("after", 1), parameters.limit()) == (3, 1, 7)
    assert parameters.texts("type") == ("A", "B")
    assert Parameters(request(""), "limit").limit(50) == 50


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("foo=1", "'foo' is unknown here; known are limit, from"),
        ("from=%00", "'from' contains the character NUL"),
        ("from=1&from=2", "'from' is given more than once"),
        ("from=-1", "'from' must be a whole number from 0"),
        (f"from={2**31}", "'from' must be a whole number from 0 to 2147483647"),
        (f"from={'9' * 5000}", "'from' must be a whole number from 0"),
        ("limit=0", "'limit' must be a number from 1"),
    ],
)
def test_a_wrong_parameter_is_named(query: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        parameters = Parameters(request(query), "limit", "from")
        parameters.limit()
        parameters.version("from", 0)


def test_a_path_without_parameters_says_so() -> None:
    with pytest.raises(Invalid, match=r"'x' is unknown here$"):
        Parameters(request("x=1"))
