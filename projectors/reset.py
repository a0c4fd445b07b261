"""Clearing: empties a view, with its dead letters, for a projection that starts again."""

from typing import Any

from projectors.projection import Projection
from schemas.catalog import ContextName
from schemas.view import View
from streams.database.pools import Connection
from streams.database.store import statement, views_schema
from streams.database.view_tables import clear, table_of


async def clear_view(connection: Connection, system: str, projection: Projection[Any]) -> None:
    """Removes every row and every open dead letter; what operators have skipped or mended stays decided."""
    home = ContextName(system, projection.view.view_context)
    view: type[View] = projection.view
    await connection.execute(clear(table_of(home, view)))
    await connection.execute(statement("dead_letters_forget", views_schema(home)), f"{system}.{projection.name}")
