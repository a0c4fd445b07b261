"""Views: their rows, why a row is as it is, and their versions."""

from typing import Any

import orjson

from deploy.console.printing import counted
from deploy.operations.operation import OPERATORS
from deploy.operations.projections.row_history import history_of_row
from deploy.operations.projections.versions import EveryView, list_views, projection_named
from deploy.operations.reading import BODIES
from deploy.operations_page.rendering import pretty, shortened
from deploy.operations_page.screen import Asked, Screen, Shown
from query_api.views.page_request import parse_page_request
from query_api.views.reader import ViewReader
from schemas.errors import NotFound

_ROWS = 50
_SHOWN = 80
"""Characters of a value in a list."""


async def show(asked: Asked) -> Shown:
    """Shows every view with its versions."""
    listing = await list_views(asked.installation, EveryView())
    building = [view for view in listing.rows if view.building]
    values = {"views": listing.rows, "missing": listing.out_of_reach}
    if building:
        names = ", ".join(view.name for view in building)
        return Shown(f"{counted(len(building), 'view')} being rebuilt: {names}.", "warning", values)
    return Shown(f"{counted(len(listing.rows), 'view')}, none is being rebuilt.", "good", values)


async def show_rows(asked: Asked) -> Shown:
    """Shows a page of a view's rows, as they are stored: what is encrypted stays encrypted."""
    projection = projection_named(asked.path["view"], asked.installation.catalog)
    view, home = projection.view, projection.home
    reader = ViewReader(asked.installation.within("caudal_reader").view_store(home), home, view)
    given = [(name, text) for name, text in asked.query.items() if text and name != "column"]
    column, text = asked.query.get("column", ""), asked.query.get("value", "")
    filters = [(f"{column}", text)] if column and text else []
    others = [(name, text) for name, text in given if name in ("after", "sort")]
    page = await reader.page(parse_page_request([*filters, *others, ("limit", str(_ROWS))]))
    columns = [name for name in view.model_fields if name != view.view_key]
    values = {
        "view": projection.full_name,
        "key": view.view_key,
        "columns": [view.view_key, *columns],
        "rows": [{name: _short(value) for name, value in row.items()} for row in page.rows],
        "keys": [str(row[view.view_key]) for row in page.rows],
        "next": page.next,
        "column": column,
        "value": text,
    }
    more = "the first " if page.next else ""
    return Shown(f"{more.capitalize()}{counted(len(page.rows), 'row')}.", "plain", values, title=projection.full_name)


async def show_row(asked: Asked) -> Shown:
    """Shows why a row is as it is: the events that made it, each with the row after it."""
    projection = projection_named(asked.path["view"], asked.installation.catalog)
    view, home, key = projection.view, projection.home, asked.path["key"]
    reader = ViewReader(asked.installation.within("caudal_reader").view_store(home), home, view)
    if (row := await reader.get(key)) is None:
        raise NotFound(f"the view {projection.full_name} has no row {key!r}")
    history = await history_of_row(asked.installation, projection, key)
    values = {
        "view": projection.full_name,
        "row": pretty(row),
        "steps": [
            {
                "log": str(step.context),
                "event": step.event,
                "changed": pretty(step.changed),
                "is_deleted": step.is_deleted,
            }
            for step in history.steps
        ],
        "is_whole": history.is_whole,
    }
    return Shown(f"{counted(len(history.steps), 'event')} made this row.", "plain", values, title=key)


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode().strip('"')
    return shortened(text, _SHOWN)


SCREENS = (
    Screen("/views", "views", "Views", "Which versions of the views are there?", show, OPERATORS),
    Screen("/views/{view}", "rows", "View", "What is in this view?", show_rows, BODIES, in_menu=False, is_live=False),
    Screen(
        "/views/{view}/{key:path}", "row", "Row", "Why is this row as it is?", show_row, BODIES, in_menu=False, is_live=False
    ),
)
