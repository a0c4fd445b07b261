"""A receipt in one sentence."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from deploy.operations.commands.receipt import CommandReceipt, EventOfCommand, FollowerOfCommand
from deploy.operations_page.screens.commands import answer

EVENTS = (EventOfCommand(1, "Baked", "bread-1", 1), EventOfCommand(2, "Sold", "bread-1", 2))
HAS, HAS_NOT = FollowerOfCommand("a.b", "projection", True), FollowerOfCommand("a.c", "policy", False)


def receipt(
    events: tuple[EventOfCommand, ...] = (), followers: tuple[FollowerOfCommand, ...] = (), rejection: str | None = None
) -> CommandReceipt:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return CommandReceipt("a.b", UUID(int=1), "bake", None, "c", "bread-1", 2, at, rejection, events, followers)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (receipt(rejection="no flour"), ("It was rejected: no flour", "warning")),
        (receipt(), ("It was accepted, and changed nothing.", "plain")),
        (receipt(EVENTS), ("It recorded 2 events, which nobody follows.", "good")),
        (receipt(EVENTS, (HAS,)), ("It recorded 2 events, and everyone who follows them has them.", "good")),
        (receipt(EVENTS, (HAS, HAS_NOT)), ("It recorded 2 events; 1 of 2 followers has them.", "warning")),
        (receipt(EVENTS, (HAS_NOT,)), ("It recorded 2 events; none of 1 follower has them.", "warning")),
    ],
)
def test_the_answer_says_what_became_of_a_command(found: CommandReceipt, said: tuple[str, str]) -> None:
    assert answer(found) == said
