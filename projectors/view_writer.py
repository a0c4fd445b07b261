"""Writes what events make of a view's rows: within a transaction of the caller's, or together with the checkpoints."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Table

from projectors.projection import Fold, Projection
from schemas.envelope import RecordedEvent
from schemas.errors import Conflict, Misconfigured
from schemas.view import View
from streams.database.errors import translated
from streams.database.pools import Connection
from streams.database.view_tables import CHANGED, statements
from streams.subscriptions.checkpoints import Move


class _Keyed(NamedTuple):
    """An event, and the row that it is about."""

    key: Any
    fold: Fold[Any]
    recorded: RecordedEvent[Any]


class _Written(NamedTuple):
    """What has become of a view's rows."""

    added: Sequence[View]
    changed: Sequence[View]
    removed: Sequence[Any]
    """Keys."""


class ViewWriter:
    """Folds events of one projection into a table of its view's shape."""

    def __init__(self, projection: Projection[Any], table: Table) -> None:
        self._projection = projection
        self._sql = statements(table)

    async def apply(self, connection: Connection, events: Sequence[RecordedEvent[Any]]) -> None:
        """Loads and locks the rows that the events touch, folds, and writes those that have changed. Moves no checkpoint.

        Raises `Conflict` where another transaction has put a row there that was missing a moment before, and whatever a
        fold raises.
        """
        keyed = self._keyed(events)
        view = self._projection.view
        found = await connection.fetch(self._sql.lock, _keys(keyed))
        before: dict[Any, View] = {record[view.view_key]: view.model_construct(**record) for record in found}
        written = _folded(keyed, before)
        if written.added:
            inserted = await connection.fetch(self._sql.insert, self._as_json(written.added))
            if len(inserted) < len(written.added):
                raise Conflict("a row has appeared meanwhile")
        if written.changed:
            await connection.execute(self._sql.update, self._as_json(written.changed))
        if written.removed:
            await connection.execute(self._sql.delete, written.removed)

    async def commit(
        self, connection: Connection, subscription: str, moves: Sequence[Move], events: Sequence[RecordedEvent[Any]]
    ) -> None:
        """Applies events and moves checkpoints, all of it or nothing, outside a transaction: in two round trips, not six.

        Nothing is locked meanwhile. Raises `Conflict` where a row or a checkpoint has changed since it was read, where the
        subscription rests and where it has dead letters; and whatever a fold raises.
        """
        keyed = self._keyed(events)
        view = self._projection.view
        before: dict[Any, View] = {}
        changed_in: dict[Any, int] = {}
        for record in await connection.fetch(self._sql.read, _keys(keyed)) if keyed else ():
            fields = dict(record)
            changed_in[fields[view.view_key]] = fields.pop(CHANGED)
            before[fields[view.view_key]] = view.model_construct(**fields)
        written = _folded(keyed, before)
        contexts, partitions, befores, afters = zip(*moves, strict=True)
        with translated():
            await connection.execute(
                self._sql.commit,
                subscription,
                *([str(context) for context in contexts], partitions),
                *([stand.position for stand in befores], [stand.generation for stand in befores], afters),
                self._as_json([*written.added, *written.changed], changed_in),
                orjson.dumps(
                    [{view.view_key: key, CHANGED: changed_in[key]} for key in written.removed], default=_as_text
                ).decode(),
            )

    def _keyed(self, events: Sequence[RecordedEvent[Any]]) -> list[_Keyed]:
        folds = self._projection.folds
        return [_Keyed(fold.key(recorded), fold, recorded) for recorded in events for fold in (folds[type(recorded.data)],)]

    def _as_json(self, rows: Iterable[View], changed_in: Mapping[Any, int] | None = None) -> str:
        """Rows as JSON, ordered by key; with ``changed_in`` each with the transaction that last changed it, if one did."""
        view = self._projection.view
        for row in rows:
            if not isinstance(row, view):
                raise Misconfigured(f"a fold of {view.view_name} returned {type(row).__name__}, not its view's row")
        ordered = sorted(rows, key=lambda row: str(getattr(row, view.view_key)))
        fields = [vars(row) for row in ordered]
        if changed_in is not None:
            fields = [{**row, CHANGED: changed_in.get(row[view.view_key])} for row in fields]
        return orjson.dumps(fields, default=_as_text).decode()


def _keys(keyed: Sequence[_Keyed]) -> list[Any]:
    return list({one.key for one in keyed})


def _folded(keyed: Sequence[_Keyed], before: Mapping[Any, View]) -> _Written:
    after: dict[Any, View | None] = dict(before)
    for key, fold, recorded in keyed:
        after[key] = fold.apply(after.get(key), recorded)
    return _Written(
        added=[row for key, row in after.items() if row is not None and key not in before],
        changed=[row for key, row in after.items() if row is not None and key in before and row is not before[key]],
        removed=[key for key, row in after.items() if row is None and key in before],
    )


def _as_text(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)  # the driver's own subclass of it
    raise Misconfigured(f"a view's row holds a {type(value).__name__}, which is none of the types that a view may have")
