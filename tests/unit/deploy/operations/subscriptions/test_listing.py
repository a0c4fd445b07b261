"""Subscriptions as text: their names, what they follow, and those that do not work."""

import io

from rich.console import Console

from deploy.operations.subscriptions.listing import ListedSubscription, listing
from schemas.system import ContextName

TASKS, DOORS = ContextName("todo", "tasks"), ContextName("todo", "doors")
VIEW = ListedSubscription("todo.tasks", "projection", (DOORS, TASKS), 0, is_paused=False, is_blocked=False)
POLICY = ListedSubscription("todo.close-doors", "policy", (TASKS,), 1200, is_paused=True, is_blocked=False)


def test_each_has_a_row_under_its_system() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(listing([VIEW, POLICY]))

    heading, system, *rows = (line.split() for line in out.getvalue().splitlines())
    assert (" ".join(heading), system) == ("Subscription Kind Dead letters State Follows", ["todo"])
    assert rows == [
        ["tasks", "projection", "0", "active", "todo.doors,", "todo.tasks"],
        ["close-doors", "policy", "1,200", "paused", "todo.tasks"],
    ]


def test_a_subscription_that_its_dead_letters_block_is_blocked_also_while_it_is_paused() -> None:
    blocked = ListedSubscription("todo.x", "policy", (TASKS,), 9, is_paused=True, is_blocked=True)

    assert [one.state for one in (VIEW, POLICY, blocked)] == ["active", "paused", "blocked"]
    assert blocked.as_json() == {
        "name": "todo.x", "kind": "policy", "follows": ["todo.tasks"], "dead_letters": 9, "state": "blocked",
    }  # fmt: skip
