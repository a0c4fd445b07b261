"""Redriving: the results are waited for until each dead letter was tried, or waits behind one that failed again.

What redriving does in the tables is tested with PostgreSQL (`tests/integration/test_dead_letter_operations.py`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from deploy.operations.dead_letters import resolving
from streams.subscriptions.dead_letters import DeadLetter
from tests.unit.deploy.operations.dead_letters.test_listing import PARKED

FIRST = replace(PARKED, state="retrying", attempts=0)
BEHIND = replace(PARKED, position=8, state="waiting", attempts=0)
FAILED, FAILED_BEHIND = replace(FIRST, attempts=1), replace(BEHIND, state="retrying", attempts=1)


class Store:
    """The dead letters that are open at one look after another; the last ones stay."""

    def __init__(self, *looks: Sequence[DeadLetter]) -> None:
        self.dead_letters, self._looks = self, list(looks)

    async def all(self) -> Sequence[DeadLetter]:
        return self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]


@pytest.mark.parametrize(
    ("looks", "still_open"),
    [
        (([FIRST, BEHIND], [BEHIND], []), []),
        (([FIRST, BEHIND], [FAILED, BEHIND]), [FAILED, BEHIND]),
        (([FIRST, BEHIND], [BEHIND], [FAILED_BEHIND]), [FAILED_BEHIND]),
    ],
    ids=["both are applied", "the first fails again", "the second fails after the first was applied"],
)
async def test_results_are_waited_for(looks: Sequence[Sequence[DeadLetter]], still_open: Sequence[DeadLetter]) -> None:
    store: Any = Store(*looks)

    assert await resolving._still_open([(store, FIRST), (store, BEHIND)], lambda _, __: None) == still_open
