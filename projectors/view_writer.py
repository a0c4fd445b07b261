"""Writes what events make of a view's rows, inside a transaction of the caller's. Keeps no position."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Table

from projectors.projection import Projection
from schemas.envelope import Recorded
from schemas.errors import Conflict, Misconfigured
from schemas.view import View
from streams.postgres import Connection
from streams.view_table import statements


class ViewWriter:
    """Folds events of one projection into a table of its view's shape."""

    def __init__(self, projection: Projection[Any], table: Table) -> None:
        self._projection = projection
        self._sql = statements(table)

    async def apply(self, connection: Connection, events: Sequence[Recorded[Any]]) -> None:
        """Loads the rows that the events touch, folds, and writes those that have changed.

        Raises `Conflict` where another transaction has put a row there that was missing a moment before, and whatever a
        fold raises.
        """
        folds = self._projection.folds
        keyed = [(fold, fold.key(recorded), recorded) for recorded in events for fold in (folds[type(recorded.event)],)]
        before = await self._load(connection, {key for _, key, _ in keyed})
        after: dict[Any, View | None] = dict(before)
        for fold, key, recorded in keyed:
            after[key] = fold.apply(after.get(key), recorded)
        await self._write(connection, before, after)

    async def _load(self, connection: Connection, keys: set[Any]) -> dict[Any, View]:
        view = self._projection.view
        found = await connection.fetch(self._sql.lock, list(keys))
        return {record[view.view_key]: view.model_construct(**record) for record in found}

    async def _write(self, connection: Connection, before: Mapping[Any, View], after: Mapping[Any, View | None]) -> None:
        added = [row for key, row in after.items() if row is not None and key not in before]
        changed = [row for key, row in after.items() if row is not None and key in before and row is not before[key]]
        removed = [key for key, row in after.items() if row is None and key in before]
        if added:
            inserted = await connection.fetch(self._sql.insert, self._as_json(added))
            if len(inserted) < len(added):
                raise Conflict("a row has appeared meanwhile")
        if changed:
            await connection.execute(self._sql.update, self._as_json(changed))
        if removed:
            await connection.execute(self._sql.delete, removed)

    def _as_json(self, rows: Sequence[View]) -> str:
        view = self._projection.view
        for row in rows:
            if not isinstance(row, view):
                raise Misconfigured(f"a fold of {view.view_name} returned {type(row).__name__}, not its view's row")
        ordered = sorted(rows, key=lambda row: str(getattr(row, view.view_key)))
        return orjson.dumps([vars(row) for row in ordered], default=_as_text).decode()


def _as_text(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)  # the driver's own subclass of it
    raise Misconfigured(f"a view's row holds a {type(value).__name__}, which is none of the types that a view may have")
