"""The versions of views as a table."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from deploy.operations.projections.versions import ListedView, projection_named, version_table
from schemas.errors import NotFound
from streams.discovery import installed_catalog

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_the_live_version_is_named_and_the_previous_one_with_its_difference() -> None:
    found = [
        ListedView("todo.tasks", "tasks_2", None, None, None),
        ListedView("todo.lists", None, "lists_previous", 1, NOW - timedelta(hours=2)),
        ListedView("todo.notes", None, "notes_previous", None, None),
    ]
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(version_table(found, NOW))
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]

    assert lines[1:] == [
        "todo",
        "tasks live tasks_2 -",
        "lists live since 2 h ago - lists_previous, 1 row differs",
        "notes live - notes_previous, other columns",
    ]


def test_an_unknown_view_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(NotFound, match=r"there is no view 'x'; there are .*data_ingestion\.records"):
        projection_named("x", installed_catalog())
