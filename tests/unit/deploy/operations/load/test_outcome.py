"""Results of a load: counts, and the first problems in the order of the file."""

import io

from rich.console import Console

from deploy.operations.load.outcome import Outcome
from deploy.operations.load.record import Record


def printed(outcome: Outcome) -> list[str]:
    text = io.StringIO()
    outcome.print_problems(Console(file=text, width=80))
    return text.getvalue().splitlines()


def test_problems_are_in_the_order_of_the_file() -> None:
    outcome = Outcome(accepted=1, known=2)
    outcome.reject(Record(9, None, None), "[late]")
    outcome.reject(Record(3, None, None, "element"), "early")

    assert printed(outcome) == ["element 3: early", "line 9: [late]"]
    assert (str(outcome), outcome.finished) == ("1 accepted, 2 there already, 2 failed", 5)


def test_a_file_full_of_problems_does_not_fill_the_screen() -> None:
    outcome = Outcome()
    for number in range(1000):
        outcome.reject(Record(number, None, None), "bad")

    assert len(printed(outcome)) == 51
    assert printed(outcome)[-1] == "… and 950 more"
