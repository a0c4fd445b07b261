"""The projector: applies a slice of events to a view, rows and position in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import Counter

from projectors.projection import Projection
from projectors.view_writer import ViewWriter
from schemas.catalog import Catalog, ContextName
from schemas.envelope import Recorded
from schemas.errors import Conflict
from schemas.view import View
from streams.continuity import continuation
from streams.log import ReadableLog
from streams.postgres import Connection, Databases, statement, views_schema
from streams.rows import decode
from streams.settings import Settings
from streams.subscription import Slice
from streams.view_table import table_of

_MOST_RACES = 20

APPLIED = Counter("caudal_projection_events", "Events applied.", ["projection"])


class Projector:
    """Keeps one view up to date: a subscriber whose effects are exactly once.

    The checkpoint of (projection, context, partition) is locked first, so that whatever the consumer does, of two workers
    on one partition the second finds the first one's position, and skips.
    """

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        system: str,
        projection: Projection[Any],
        databases: Databases,
        logs: Mapping[ContextName, ReadableLog],
    ) -> None:
        view: type[View] = projection.view
        home = ContextName(system, view.view_context)
        self.name = f"{system}.{projection.name}"
        self.contexts = frozenset(catalog.context_of(event) for event in projection.folds)
        self._projection, self._catalog, self._databases, self._logs = projection, catalog, databases, logs
        self._types = {(catalog.context_of(event), event.message_name) for event in projection.folds}
        self._dsn, self._schema = settings.view_dsn(home), views_schema(home)
        self._writer = ViewWriter(projection, table_of(home, view))

    async def position(self, context: ContextName, partition: int) -> int:
        """Where the view stands in a partition of a context."""
        async with self._databases.connection(self._dsn) as connection:
            sql = statement("checkpoint", self._schema)
            return await connection.fetchval(sql, self._projection.name, str(context), partition) or 0

    async def take(self, slices: Sequence[Slice]) -> None:
        """Applies what the view has not seen of these slices. Raises `Unavailable` while a database is out of reach.

        Raises `Conflict` where another worker put rows there again and again that were missing a moment before.
        """
        races = 0
        whole = False
        while not whole:
            try:
                whole = await self._take(slices)
            except Conflict:
                races += 1
                if races == _MOST_RACES:
                    raise
                await asyncio.sleep(0.005 * races)

    def forget(self, context: ContextName, partition: int) -> None:
        """Nothing to forget: position and rows are in the database alone."""

    async def _take(self, slices: Sequence[Slice]) -> bool:
        """Applies what is next in one transaction; whether that was all."""
        whole = True
        async with self._databases.transaction(self._dsn) as connection:
            positions = await self._lock(connection, slices)
            events: list[Recorded[Any]] = []
            moved: list[tuple[str, int, int]] = []
            for slice in slices:
                context, partition = slice.context, slice.partition
                position = positions[str(context), partition]
                found = await continuation(self.name, position, slice.rows, self._logs[context], partition)
                whole = whole and found.is_whole
                if found.rows:
                    moved.append((str(context), partition, found.rows[-1].position))
                    events += [decode(row, context, self._catalog) for row in found.rows if (context, row.type) in self._types]
            if events:
                await self._writer.apply(connection, events)
            if moved:
                sources, partitions, reached = (list(column) for column in zip(*moved, strict=True))
                sql = statement("checkpoints_move", self._schema)
                await connection.execute(sql, self._projection.name, sources, partitions, reached)
        APPLIED.labels(self.name).inc(len(events))
        return whole

    async def _lock(self, connection: Connection, slices: Sequence[Slice]) -> dict[tuple[str, int], int]:
        of_slices = ([str(slice.context) for slice in slices], [slice.partition for slice in slices])
        sql = statement("checkpoints_lock", self._schema)
        found = await connection.fetch(sql, self._projection.name, *of_slices)
        if len(found) < len(slices):
            await connection.execute(statement("checkpoints_open", self._schema), self._projection.name, *of_slices)
            found = await connection.fetch(sql, self._projection.name, *of_slices)
        return {(row["source"], row["partition"]): row["position"] for row in found}
