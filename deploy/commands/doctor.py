"""The command ``caudal doctor``."""

from collections.abc import Mapping
from typing import Any

from deploy.commands.orders.order import Question, reading_command
from deploy.console.printing import lines

_EXIT_CODES: Mapping[str, int] = {"good": 0, "attention": 1, "down": 2}


@reading_command
def doctor() -> Question:
    """Say what is wrong with this installation, and what to do. Exit code 0: nothing, 1: things to look at, 2: a fault."""
    from deploy.operations.doctor.diagnosis import DOCTOR, Everything, print_diagnosis

    def print_it(found: Any) -> None:
        print_diagnosis(found, lines())

    return Question(DOCTOR, Everything(), print_it, lambda found: _EXIT_CODES[found.state])
