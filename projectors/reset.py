"""Reset of a view: removes its rows and dead letters, for a projection that starts again."""

from typing import Any

from projectors.projection import Projection
from streams.database.pools import Connection
from streams.database.store import statement, views_schema
from streams.database.view_tables import clear


async def clear_view(connection: Connection, projection: Projection[Any]) -> None:
    """Removes every row and every open dead letter; what operators have skipped or repaired stays resolved."""
    await connection.execute(clear(projection.table()))
    await connection.execute(statement("dead_letters_delete", views_schema(projection.home)), projection.full_name)
