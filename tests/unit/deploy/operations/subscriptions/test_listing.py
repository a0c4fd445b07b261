"""Subscriptions as text: their names, what they follow, and those that do not work."""

import io

from rich.console import Console

from deploy.operations.subscriptions.listing import ListedSubscription, subscription_table

VIEW = ListedSubscription("todo.tasks", "projection", ("todo.doors", "todo.tasks"), 0, "active")
POLICY = ListedSubscription("todo.close-doors", "policy", ("todo.tasks",), 1200, "paused")


def test_each_has_a_row_under_its_system() -> None:
    out = io.StringIO()
    Console(file=out, width=80).print(subscription_table([VIEW, POLICY]))

    heading, system, *rows = (line.split() for line in out.getvalue().splitlines())
    assert (" ".join(heading), system) == ("Subscription Kind Dead letters State Follows", ["todo"])
    assert rows == [
        ["tasks", "projection", "0", "active", "todo.doors,", "todo.tasks"],
        ["close-doors", "policy", "1,200", "paused", "todo.tasks"],
    ]
