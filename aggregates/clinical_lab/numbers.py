"""Numbers that the laboratory gives, from 1, in the order in which things are recorded: to users, and to results."""

from aggregates.state import State
from schemas.clinical_lab.results import NumberTaken
from schemas.clinical_lab.users import UserNumberTaken


class Numbers(State, snapshot_every=200):
    """The numbers that were given to things of one kind."""

    last: int = 0


def take_number(numbers: Numbers, event: NumberTaken | UserNumberTaken) -> Numbers:
    return Numbers(last=event.number)
