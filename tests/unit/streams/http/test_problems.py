"""Problem documents: what clients are told of an error, and what they are not."""

from schemas.errors import Misconfigured, NotYetSeen, Unavailable
from streams.http.problems import problem_of


def test_what_is_out_of_reach_is_told_without_its_address() -> None:
    error = Unavailable("PostgreSQL is out of reach", "Connect call failed ('10.0.3.7', 5432)")

    assert error.detail == "PostgreSQL is out of reach: Connect call failed ('10.0.3.7', 5432)"
    told = problem_of(error)
    assert (told.status, told.detail) == (503, "PostgreSQL is out of reach")
    assert problem_of(NotYetSeen("the view is behind")).detail == "the view is behind"
    assert problem_of(Unavailable()).detail == Unavailable.__doc__


def test_a_fault_of_ours_is_not_told() -> None:
    told = problem_of(Misconfigured("the key in /etc/keys is none"))

    assert (told.status, "keys" in told.detail) == (500, False)
