"""Dead letters in groups: by subscription, error and type; what waits behind another counts with that."""

from datetime import UTC, datetime
from typing import Any

from deploy.operations.dead_letters.listing import ListedDeadLetter
from deploy.operations_page.screens.dead_letters import groups

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def letter(name: str, stream: str | None, error: str | None, **fields: Any) -> ListedDeadLetter:
    usual = {
        "subscription": "todo.tasks", "context": "todo.tasks", "origin": "log@1", "position": 1, "type": "TaskAdded",
        "state": "parked", "attempts": 1, "parked_at": NOW, "due_at": None,
    }  # fmt: skip
    return ListedDeadLetter(name=name, stream=stream, error=error, **{**usual, **fields})


def test_the_largest_group_comes_first_and_has_the_first_of_each_stream() -> None:
    found = groups(
        [
            letter("1", "a", "no price\nmore"),
            letter("2", "b", "no name"),
            letter("3", "a", None, state="waiting"),
            letter("4", "c", "no name"),
            letter("5", "a", None, state="waiting"),
            letter("6", "c", "no name", subscription="todo.lists"),
        ]
    )

    assert [(group.error, [one.name for one in group.firsts], group.behind) for group in found] == [
        ("no price", ["1"], 2), ("no name", ["2", "4"], 0), ("no name", ["6"], 0),
    ]  # fmt: skip


def test_records_that_are_no_events_wait_behind_none() -> None:
    (group,) = groups([letter(name, None, "no event", position=None, type=None) for name in ("1", "2")])

    assert (len(group.firsts), group.behind, group.type) == (2, 0, "no event")
