"""Versions of a view: the live one, a candidate that is being built beside it, and the previous one, which is kept.

They change places in one transaction that holds the live view's checkpoints: no query sees a half-built view, and projectors
continue from the checkpoints that they find. A switch renames, roll back renames the other way round::

                    table          checkpoints and dead letters
    candidate       view_7         system.view#view_7      ─┐ switch      ─┐
    live            view           system.view             ◀┘ ─┐           │ each takes the place of the one before
    previous        view_previous  system.view#previous       ◀┘          ◀┘

Acts in the owner's role, because it creates, renames and drops tables.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projectors.projection import Projection
from schemas.errors import Rejected
from schemas.system import ContextName
from schemas.view import View
from streams.database.pools import WHOLE_LOG_SECONDS, Connection
from streams.database.view_tables import definition, difference
from streams.installation import Installation
from streams.migrations.view_shapes import declared_shape
from streams.subscriptions.checkpoints import Checkpoints

PREVIOUS = "#previous"
Positions = Mapping[ContextName, Mapping[int, int]]
"""By context and partition."""
_MAX_KEYS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The versions of a view beside the live one."""

    building: str | None = None
    """Table of the candidate."""
    building_resolutions: str | None = None
    """Digest of how operators had resolved the view's dead letters when the candidate was started."""
    previous: str | None = None
    """Table of the version that was live before."""
    previous_resolutions: str | None = None
    """The digest when the previous version ceased to be live."""
    previous_differs: int | None = None
    """In how many rows the previous version and its successor differed then; ``None`` if they have different shapes."""
    switched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """How a new version differs from the live one at the same positions."""

    rows: int
    some: Sequence[str]
    """Keys of some of them."""


class VersionedView:
    """One view with its versions."""

    def __init__(self, installation: Installation, projection: Projection[Any]) -> None:
        catalog = installation.catalog
        self.name = projection.full_name
        self.contexts = frozenset(context for context, _ in catalog.event_types(projection.events))
        self._partitions = [
            (context, partition)
            for context in sorted(self.contexts)
            for partition in range(catalog.context(context).partitions)
        ]
        self._projection = projection
        self._view: type[View] = projection.view
        self._shape = declared_shape(projection.home, self._view)
        self._store = installation.view_store(projection.home)
        self._live = Checkpoints(self._store, self.name)

    async def versions(self) -> Versions:
        """Returns the versions beside the live one."""
        row = await self._store.fetch_merged("rebuild_state", self._view.view_name)
        return Versions() if row is None else Versions(**row)

    async def positions(self) -> Positions:
        """Returns the positions of the live version."""
        found = await self._live.all()
        return {context: found[context] for context in sorted(found) if context in self.contexts}

    async def positions_of(self, table: str) -> Positions:
        """Returns the positions of a candidate."""
        return await Checkpoints(self._store, f"{self.name}#{table}").all()

    async def begin(self, *, again: bool) -> str:
        """Returns the table of the candidate. Starts one if there is none.

        A candidate that code of another shape has started is dropped first, and with ``again`` every one.
        """
        async with self._locked() as (connection, versions):
            if versions.building is not None:
                if not again and await self._shape_of(connection, versions.building) == self._shape:
                    return versions.building
                await self._drop(connection, versions.building)
            digest = await self._resolutions_digest(connection)
            name = str(await connection.fetchval(self._store.sql("rebuild_begin"), self._view.view_name, digest))
            for line in definition(self._projection.table(name)):
                await connection.execute(line)
            await connection.execute(self._store.sql("version_define"), name, self._shape)
        return name

    async def switch(self, table: str, complete: Callable[[Positions], Awaitable[None]]) -> Difference | None:
        """Puts a candidate in the live version's place and returns how the two differ at the same positions.

        ``complete`` brings the candidate to the positions of the live version, which does not move meanwhile. Returns
        ``None`` if the two cannot be compared, because they have different shapes.

        Raises `Rejected` and changes nothing if ``table`` is not the candidate, if it is ahead of the live version, and if
        operators have resolved dead letters since it was started; `Unavailable` if a long query holds the live table.
        """
        async with self._locked() as (connection, versions):
            if versions.building != table:
                raise Rejected(f"{table} is not the version of {self.name} that is being built")
            goal = await self._lock_live(connection)
            digest = await self._resolutions_digest(connection)
            await self._check_candidate(table, goal)
            if digest != versions.building_resolutions:
                raise Rejected(f"dead letters of {self.name} were skipped or repaired meanwhile: start anew with --restart")
            await complete(goal)
            found = await self._difference(connection, table)
            if versions.previous is not None:
                await self._drop(connection, versions.previous, PREVIOUS)
            await self._put_in_place(connection, table)
            await self._finish(connection, self._previous, digest, None if found is None else found.rows)
        return found

    async def roll_back(self, *, other_shape: bool = False) -> int | None:
        """Puts the previous version back at its positions; its projectors catch up from the log.

        The two change places: rolling back again restores the newer one. Returns in how many rows they differed when they
        last changed places, ``None`` if they have different shapes.

        Raises `Rejected` if there is no previous version, if operators have resolved dead letters since it was live, and
        if its table does not have the shape that the installed code declares, unless ``other_shape`` asks for that.
        """
        async with self._locked() as (connection, versions):
            if versions.previous is None:
                raise Rejected(f"there is no earlier version of {self.name}")
            await self._lock_live(connection)
            digest = await self._resolutions_digest(connection)
            if digest != versions.previous_resolutions:
                raise Rejected(
                    f"dead letters of {self.name} were skipped or repaired since the switch, which the earlier version does"
                    f" not contain: `caudal projections rebuild {self.name}` builds a version that does"
                )
            if not other_shape and await self._shape_of(connection, versions.previous) != self._shape:
                raise Rejected(
                    f"the earlier version of {self.name} has another shape than the installed code declares, so that queries"
                    " and projectors would fail: install the code of that version and roll back with --other-shape"
                )
            await self._swap(connection, versions.previous)
            await self._finish(connection, versions.previous, digest, versions.previous_differs)
        return versions.previous_differs

    async def discard(self) -> Sequence[str]:
        """Drops the versions beside the live one and returns the names of their tables."""
        async with self._locked() as (connection, versions):
            if versions.building is not None:
                await self._drop(connection, versions.building)
            if versions.previous is not None:
                await self._drop(connection, versions.previous, PREVIOUS)
            await self._finish(connection, None, None, None)
        return [table for table in (versions.building, versions.previous) if table is not None]

    @property
    def _previous(self) -> str:
        return f"{self._view.view_name}_previous"

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[tuple[Connection, Versions]]:
        """Lends a transaction in which no other process changes the view's versions, and the versions."""
        async with self._store.transaction() as connection:
            await connection.execute("set local lock_timeout = '10s'")
            row = await connection.fetchrow(self._store.sql("rebuild_lock"), self._view.view_name)
            assert row is not None, "the statement inserts the row if it is missing"
            yield connection, Versions(**row)

    async def _lock_live(self, connection: Connection) -> Positions:
        """Locks the live version's checkpoints until the end of the transaction and returns the positions."""
        goal: dict[ContextName, dict[int, int]] = {}
        for (context, partition), checkpoint in (await self._live.lock(connection, self._partitions)).items():
            goal.setdefault(context, {})[partition] = checkpoint.position
        return goal

    async def _check_candidate(self, table: str, goal: Positions) -> None:
        for context, positions in (await self.positions_of(table)).items():
            live = goal.get(context, {})
            if any(position > live.get(partition, -1) for partition, position in positions.items()):
                raise Rejected(f"{self.name} was reset to a position before that of {table}: start anew with --restart")

    async def _put_in_place(self, connection: Connection, table: str) -> None:
        """Makes the live version the previous one, and the candidate the live one."""
        sql, candidate, previous = self._store.sql, f"{self.name}#{table}", f"{self.name}{PREVIOUS}"
        await self._rename(connection, self._view.view_name, self._previous)
        await self._rename(connection, table, self._view.view_name)
        await connection.execute(sql("checkpoints_copy"), self.name, previous)
        await connection.execute(sql("checkpoints_delete"), candidate)
        await connection.execute(sql("checkpoints_start_generation"), self.name)
        await connection.execute(sql("dead_letters_rename"), self.name, previous)
        for query in ("dead_letters_keep_edits", "dead_letters_delete_reopened"):
            await connection.execute(sql(query), self.name, candidate)
        await connection.execute(sql("dead_letters_rename"), candidate, self.name)

    async def _swap(self, connection: Connection, previous_table: str) -> None:
        """Makes the live version the previous one and the other way round."""
        sql, previous, aside = self._store.sql, f"{self.name}{PREVIOUS}", f"{self.name}#aside"
        live_table, aside_table = self._view.view_name, f"{self._view.view_name}_aside"
        await self._rename(connection, live_table, aside_table)
        await self._rename(connection, previous_table, live_table)
        await self._rename(connection, aside_table, previous_table)
        await connection.execute(sql("checkpoints_copy"), self.name, aside)
        await connection.execute(sql("checkpoints_restore"), self.name, previous)
        await connection.execute(sql("checkpoints_delete"), previous)
        await connection.execute(sql("checkpoints_rename"), aside, previous)
        for old, new in ((self.name, aside), (previous, self.name), (aside, previous)):
            await connection.execute(sql("dead_letters_rename"), old, new)

    async def _resolutions_digest(self, connection: Connection) -> str:
        return str(await connection.fetchval(self._store.sql("dead_letters_resolutions_digest"), self.name))

    async def _shape_of(self, connection: Connection, table: str) -> str | None:
        found: str | None = await connection.fetchval(self._store.sql("version_definition"), table)
        return found

    async def _difference(self, connection: Connection, table: str) -> Difference | None:
        if await self._shape_of(connection, self._view.view_name) != self._shape:
            return None
        compared = difference(self._projection.table(), self._projection.table(table))
        rows = await connection.fetch(compared, _MAX_KEYS, timeout=WHOLE_LOG_SECONDS)
        return Difference(rows[0]["total"] if rows else 0, [row["key"] for row in rows])

    async def _finish(self, connection: Connection, previous: str | None, digest: str | None, differs: int | None) -> None:
        """Notes that nothing is being built, and the previous version."""
        await connection.execute(self._store.sql("rebuild_finish"), self._view.view_name, previous, digest, differs)

    async def _rename(self, connection: Connection, old: str, new: str) -> None:
        await connection.execute(self._store.sql("version_rename"), old, new)

    async def _drop(self, connection: Connection, table: str, suffix: str | None = None) -> None:
        await connection.execute(self._store.sql("version_drop"), table)
        subscription = f"{self.name}{suffix or f'#{table}'}"
        for name in ("checkpoints_delete", "dead_letters_delete"):
            await connection.execute(self._store.sql(name), subscription)
