"""Shapes of views: compares the tables of views with what the installed code declares.

A process whose code declares another shape than the table has can neither read nor write it. So projectors and query API are
not ready, and `caudal status` and `caudal verify` report it.
"""

import asyncio

from schemas.errors import Unavailable
from schemas.system import ContextName
from schemas.view import View
from streams.database.pools import Connection
from streams.database.store import Store
from streams.database.view_tables import definition, table_of
from streams.installation import Installation


def declared_shape(context: ContextName, view: type[View]) -> str:
    """Returns the definition of a view's table and indexes, as `caudal migrate` records it."""
    return "\n".join(definition(table_of(context, view)))


async def table_shape(connection: Connection, store: Store, view: type[View]) -> str | None:
    """Returns the definition from which the table of a view was made, ``None`` if there is no table."""
    found: str | None = await connection.fetchval(store.sql("version_definition"), view.view_name)
    return found


async def wrong_view_shapes(installation: Installation) -> list[str]:
    """Returns a sentence for each view that the installed code cannot use, with the command that repairs it.

    Raises `Unavailable` while a database is out of reach.
    """
    found, views = [], list(installation.catalog.views())
    reads = (installation.view_store(context).fetch_merged("version_definition", view.view_name) for context, view in views)
    for (context, view), row in zip(views, await asyncio.gather(*reads), strict=True):
        if row is None:
            found.append(f"the view {context.system}.{view.view_name} has no table: run `caudal migrate`")
        elif row["definition"] != declared_shape(context, view):
            found.append(wrong_shape(context, view))
    return found


async def why_shapes_are_wrong(installation: Installation) -> str | None:
    """Returns what is wrong with the shapes of views, for readiness; ``None`` if nothing is, or if a database is away."""
    try:
        return "; ".join(await wrong_view_shapes(installation)) or None
    except Unavailable:
        return None  # the check of the databases reports it


def wrong_shape(context: ContextName, view: type[View]) -> str:
    """Returns what is wrong with a view whose table has another shape, and what to do."""
    name = f"{context.system}.{view.view_name}"
    return (
        f"the view {name} has another shape than its table: `caudal projections rebuild {name}` builds one of the new shape,"
        " `caudal migrate --recreate-views` replaces it by an empty one, which is filled from the log"
    )
