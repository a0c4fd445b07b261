"""View writer: computes the rows of a view from events and writes them.

Two ways, which give the same rows:

- `ViewWriter.apply`, in a transaction of the caller: locks the rows, writes them, leaves the checkpoints to the caller.
- `ViewWriter.commit`, in one statement of its own: locks nothing beforehand, writes rows and checkpoints if none of them has
  changed since it was read, else nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Table

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.errors import Conflict, Misconfigured
from schemas.view import View
from streams.database.errors import translated
from streams.database.pools import Connection
from streams.database.view_tables import CHANGED, sent, statements
from streams.subscriptions.checkpoints import Move


class _KeyedEvent(NamedTuple):
    """An event and the key of the row that it changes."""

    key: Any
    event: RecordedEvent[Any]


class _Changes(NamedTuple):
    """The changes of a view by events."""

    added: Sequence[View]
    updated: Sequence[View]
    deleted: Sequence[Any]
    """Keys."""


class ViewWriter:
    """Applies events of one projection to a table of its view's shape."""

    def __init__(self, projection: Projection[Any], table: Table) -> None:
        self._projection = projection
        self._sql = statements(table)

    async def apply(self, connection: Connection, events: Sequence[RecordedEvent[Any]]) -> None:
        """Loads and locks the rows of the events, applies the events and writes the rows that changed. Moves no checkpoint.

        Raises `Conflict` if another transaction has inserted a row that was missing a moment before, and what the
        projection raises.
        """
        keyed = self._keyed(events)
        view = self._projection.view
        found = await connection.fetch(self._sql.lock, _keys(keyed))
        before: dict[Any, View] = {record[view.view_key]: view.model_construct(**record) for record in found}
        changes = self._changes(keyed, before)
        if changes.added:
            inserted = await connection.fetch(self._sql.insert, self._as_json(changes.added))
            if len(inserted) < len(changes.added):
                raise Conflict("another transaction has inserted a row meanwhile")
        if changes.updated:
            await connection.execute(self._sql.update, self._as_json(changes.updated))
        if changes.deleted:
            await connection.execute(self._sql.delete, sent(list(changes.deleted)))

    async def commit(
        self, connection: Connection, subscription: str, moves: Sequence[Move], events: Sequence[RecordedEvent[Any]]
    ) -> None:
        """Applies events and moves checkpoints, all or nothing, outside a transaction: two round trips instead of six.

        Raises `Conflict` if a row or a checkpoint has changed since it was read, and if the subscription is paused or has
        dead letters; and what the projection raises.
        """
        keyed = self._keyed(events)
        view = self._projection.view
        before: dict[Any, View] = {}
        changed_in: dict[Any, int] = {}
        for record in await connection.fetch(self._sql.read, _keys(keyed)) if keyed else ():
            fields = dict(record)
            changed_in[fields[view.view_key]] = fields.pop(CHANGED)
            before[fields[view.view_key]] = view.model_construct(**fields)
        changes = self._changes(keyed, before)
        contexts, partitions, befores, afters = zip(*moves, strict=True)
        with translated():
            await connection.execute(
                self._sql.commit,
                subscription,
                *([str(context) for context in contexts], partitions),
                *([before.position for before in befores], [before.generation for before in befores], afters),
                self._as_json([*changes.added, *changes.updated], changed_in),
                orjson.dumps(
                    [{view.view_key: key, CHANGED: changed_in[key]} for key in changes.deleted], default=_as_text
                ).decode(),
            )

    def _keyed(self, events: Sequence[RecordedEvent[Any]]) -> list[_KeyedEvent]:
        key_of = self._projection.key_of
        return [_KeyedEvent(key_of(event), event) for event in events]

    def _changes(self, keyed: Sequence[_KeyedEvent], before: Mapping[Any, View]) -> _Changes:
        apply, new_row = self._projection.apply, self._projection.new_row
        after: dict[Any, View | None] = dict(before)
        for key, event in keyed:
            row = after.get(key)
            after[key] = apply(new_row(key) if row is None else row, event)
        return _Changes(
            added=[row for key, row in after.items() if row is not None and key not in before],
            updated=[row for key, row in after.items() if row is not None and key in before and row is not before[key]],
            deleted=[key for key, row in after.items() if row is None and key in before],
        )

    def _as_json(self, rows: Iterable[View], changed_in: Mapping[Any, int] | None = None) -> str:
        """Returns rows as JSON, ordered by key; with ``changed_in`` each with the transaction that last changed it, if any."""
        view = self._projection.view
        for row in rows:
            if not isinstance(row, view):
                raise Misconfigured(
                    f"The projection of {view.__name__} returned a {type(row).__name__}: return the view's row."
                )
        ordered = sorted(rows, key=lambda row: str(getattr(row, view.view_key)))
        fields = [vars(row) for row in ordered]
        if changed_in is not None:
            fields = [{**row, CHANGED: changed_in.get(row[view.view_key])} for row in fields]
        return orjson.dumps(fields, default=_as_text).decode()


def _keys(keyed: Sequence[_KeyedEvent]) -> list[Any]:
    return [sent(key) for key in {one.key for one in keyed}]


def _as_text(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)  # the driver's own subclass of it
    raise Misconfigured(f"A row holds a {type(value).__name__}, which no view can store: see the types in schemas.view.View.")
