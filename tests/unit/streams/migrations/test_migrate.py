"""Migrations: the scripts of each kind of schema, in order."""

import pytest

from streams.migrations.migrate import scripts


@pytest.mark.parametrize("kind", ["log", "views", "keys", "limits"])
def test_scripts_are_applied_by_their_numbers(kind: str) -> None:
    names = [script.stem for script in scripts(kind) if script.parent.name == kind]

    assert names == sorted(names)
    assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]


@pytest.mark.parametrize("kind", ["log", "views"])
def test_logs_and_views_hold_subscriptions(kind: str) -> None:
    assert scripts(kind)[0].parent.name == "subscriptions"
