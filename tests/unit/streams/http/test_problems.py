"""Problem documents: what they say about an error, and what they keep back."""

import re
from pathlib import Path

from schemas.errors import Misconfigured, NotYetSeen, Unavailable
from streams.http.problems import STATUSES, problem_of

DOCUMENT = Path(__file__).parents[4] / "docs" / "http.md"


def test_a_problem_does_not_show_the_address_of_a_database() -> None:
    error = Unavailable("PostgreSQL is out of reach", "Connect call failed ('10.0.3.7', 5432)")

    assert error.detail == "PostgreSQL is out of reach: Connect call failed ('10.0.3.7', 5432)"
    problem = problem_of(error)
    assert (problem.status, problem.detail) == (503, "PostgreSQL is out of reach")
    assert problem_of(NotYetSeen("the view is behind")).detail == "the view is behind"
    assert problem_of(Unavailable()).detail == Unavailable.__doc__


def test_a_problem_does_not_show_a_fault_of_the_server() -> None:
    problem = problem_of(Misconfigured("the key in /etc/keys is none"))

    assert (problem.status, "keys" in problem.detail) == (500, False)


def test_the_document_lists_every_kind_with_its_status() -> None:
    listed = {
        (int(status), kind)
        for line in DOCUMENT.read_text().splitlines()
        if re.match(r"\| \d{3}", line)
        for status in re.findall(r"\d{3}", line.split("|")[1])
        for kind in re.findall(r"`([a-z-]+)`", line.split("|")[2])
    }

    assert {(status, kind.replace("_", "-")) for kind, status in STATUSES.items()} - listed == set()
