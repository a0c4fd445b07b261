"""Dead letters: events that could not be handled, in groups of one cause, and one of them as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from deploy.console.printing import counted
from deploy.operations.dead_letters.listing import (
    ListedDeadLetter,
    ListFilter,
    OneName,
    list_dead_letters,
    show_dead_letter,
)
from deploy.operations.operation import OPERATORS
from deploy.operations.reading import BODIES
from deploy.operations_page.rendering import pretty
from deploy.operations_page.screen import Asked, Screen, Shown


@dataclass(frozen=True, slots=True)
class Group:
    """Dead letters of one subscription, one error and one type of event."""

    subscription: str
    error: str
    type: str
    firsts: Sequence[ListedDeadLetter]
    """The first of each stream."""
    behind: int
    """How many wait behind these."""


async def show(asked: Asked) -> Shown:
    """Shows the groups, the largest first."""
    chosen = ListFilter(
        subscription=asked.query.get("subscription") or None,
        stream=asked.query.get("stream") or None,
        resolved=asked.query.get("resolved") == "on",
    )
    listing = await list_dead_letters(asked.installation, chosen)
    found = groups(listing.rows)
    count = len(listing.rows)
    names = [one.name for one in asked.installation.subscriptions]
    values = {"groups": found, "missing": listing.out_of_reach, "chosen": chosen, "names": names}
    if not count:
        return Shown("No event is parked.", "good", values)
    streams = sum(len(group.firsts) for group in found)
    return Shown(f"{counted(count, 'event')} of {counted(streams, 'stream')} could not be handled.", "bad", values)


def groups(dead_letters: Sequence[ListedDeadLetter]) -> list[Group]:
    """Returns dead letters by subscription, error and type; what waits behind another counts with that."""
    firsts: dict[tuple[str, str, str | None], ListedDeadLetter] = {}
    behind: dict[tuple[str, str, str | None], int] = {}
    for one in dead_letters:
        # A record that is no event waits behind none: its name keeps it apart.
        stream = (one.subscription, one.context, one.stream if one.position is not None else one.name)
        if stream in firsts:
            behind[stream] = behind.get(stream, 0) + 1
        else:
            firsts[stream] = one
    made: dict[tuple[str, str, str], list[tuple[ListedDeadLetter, int]]] = {}
    for stream, first in firsts.items():
        error = (first.error or "waits behind another").splitlines()[0]
        made.setdefault((first.subscription, error, first.type or "no event"), []).append((first, behind.get(stream, 0)))
    found = [
        Group(subscription, error, type, [first for first, _ in own], sum(count for _, count in own))
        for (subscription, error, type), own in made.items()
    ]
    return sorted(found, key=lambda group: -len(group.firsts) - group.behind)


async def show_one(asked: Asked) -> Shown:
    """Shows one dead letter with its error; its body only to a caller who may read bodies."""
    name = asked.path["name"]
    letter = await show_dead_letter(asked.installation, OneName(name=name))
    may_read = asked.may(BODIES)
    data = letter.edited or letter.value
    values = {"letter": letter, "may_read": may_read, "data": pretty(data or "") if may_read else None}
    said = f"{letter.type or 'A record that is no event'} could not be handled by {letter.subscription}: it is {letter.state}."
    return Shown(said, "bad" if letter.state == "parked" else "warning", values, title=name)


SCREENS = (
    Screen("/dead-letters", "dead_letters", "Dead letters", "Which events could not be handled?", show, OPERATORS),
    Screen(
        "/dead-letters/{name:path}",
        "dead_letter",
        "Dead letter",
        "Why could it not be handled, and what now?",
        show_one,
        OPERATORS,
        in_menu=False,
        is_live=False,
    ),
)
