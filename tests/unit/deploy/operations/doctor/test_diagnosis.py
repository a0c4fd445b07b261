"""The diagnosis of what was found, and how it is printed."""

import io

import pytest
from rich.console import Console

from deploy.operations.doctor.checks import Examined
from deploy.operations.doctor.diagnosis import Diagnosis, print_diagnosis

GOOD = Examined("broker", "good", "It answers.")
LOOK = Examined("clocks", "attention", "They differ by [3] s.", "Use NTP.")
FAULT = Examined("migrations", "down", "The schema is missing.", "caudal migrate")


@pytest.mark.parametrize(
    ("parts", "state", "sentence"),
    [
        ([], "good", "Nothing is wrong with this installation."),
        ([GOOD], "good", "Nothing is wrong with this installation."),
        ([GOOD, LOOK], "attention", "0 faults, and 1 thing to look at."),
        ([FAULT, LOOK, GOOD], "down", "1 fault, and 1 thing to look at."),
    ],
)
def test_the_worst_part_decides(parts: list[Examined], state: str, sentence: str) -> None:
    found = Diagnosis.of(parts)

    assert (found.state, found.sentence) == (state, sentence)


def test_each_part_is_a_line_with_its_advice_below() -> None:
    out = io.StringIO()
    print_diagnosis(Diagnosis.of([GOOD, LOOK]), Console(file=out, width=100))

    assert out.getvalue().splitlines() == [
        "   ok  broker  It answers.",
        " look  clocks  They differ by [3] s.",
        "               Use NTP.",
        "0 faults, and 1 thing to look at.",
    ]
