"""Versions of a view: one may be built beside the live one, and the one that was live before is kept.

They change places in one transaction, in which the live one stands still: no query sees a half-built view, and projectors go on
with what they find. Acts as the owner, for it makes, renames and drops tables.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projectors.projection import Projection
from schemas.catalog import Catalog, ContextName
from schemas.errors import Rejected
from schemas.view import View
from streams.database.pools import WHOLE_LOG_SECONDS, Connection, Databases
from streams.database.store import statement, views_schema
from streams.database.view_tables import definition, difference, table_of
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoints

PREVIOUS = "#previous"
Positions = Mapping[ContextName, Mapping[int, int]]
"""Of each partition of some contexts."""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Versions:
    """The tables of a view, beside the live one."""

    generation: int = 0
    building: str | None = None
    building_decided: str | None = None
    """Digest of what operators had decided of the view's dead letters when that was begun."""
    previous: str | None = None
    previous_decided: str | None = None
    """The same when the previous one ceased to be live."""
    previous_differs: int | None = None
    """In how many rows it and its successor differed then; ``None`` where they have different shapes."""
    switched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """How a new version differs from the live one at the same position."""

    rows: int
    some: Sequence[str]
    """Keys of some of them."""


class VersionedView:
    """One view with its versions."""

    def __init__(
        self, settings: Settings, catalog: Catalog, system: str, projection: Projection[Any], databases: Databases
    ) -> None:
        view: type[View] = projection.view
        self.name = f"{system}.{projection.name}"
        self.contexts = frozenset(catalog.context_of(event) for event in projection.folds)
        self._partitions = [
            (context, partition)
            for context in sorted(self.contexts)
            for partition in range(catalog.context(context).partitions)
        ]
        self._databases, self._view = databases, view
        self._home = ContextName(system, view.view_context)
        self._dsn, self._schema = settings.view_dsn(self._home), views_schema(self._home)
        self._live = self._checkpoints("")

    async def versions(self) -> Versions:
        """Which versions there are beside the live one."""
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("rebuild_state", self._schema), self._view.view_name)
        return Versions() if row is None else Versions(*row.values())

    async def stands(self) -> Positions:
        """Where the live version stands."""
        found = await self._live.all()
        return {context: found[context] for context in sorted(found) if context in self.contexts}

    async def reached(self, table: str) -> Positions:
        """Where the version stands that is being built."""
        return await self._checkpoints(f"#{table}").all()

    async def begin(self, *, again: bool) -> str:
        """Goes on with the version that was begun, or begins one; with ``again`` always anew. Returns its table's name."""
        async with self._alone() as (connection, versions):
            if versions.building is not None:
                if not again:
                    return versions.building
                await self._drop(connection, versions.building)
            begin, decided = statement("rebuild_begin", self._schema), await self._decided(connection)
            name = str(await connection.fetchval(begin, self._view.view_name, decided))
            for line in definition(table_of(self._home, self._view, name)):
                await connection.execute(line)
            await connection.execute(statement("version_note", self._schema), name, self._shape)
        return name

    async def switch(self, table: str, complete: Callable[[Positions], Awaitable[None]]) -> Difference | None:
        """Puts the version ``table`` in the live one's place and returns how the two differ at the same positions.

        ``complete`` brings it to where the live one stands, which does not move meanwhile. ``None`` where the two cannot be
        compared, because they have different shapes.

        Raises `Rejected`, and changes nothing, where it is not the version that is being built, where it is ahead of the live
        one, and where operators have decided of dead letters since it was begun; `Unavailable` where a long query does not let
        go of the live table.
        """
        previous, own = f"{self._view.view_name}_previous", f"{self.name}#{table}"
        async with self._alone() as (connection, versions):
            if versions.building != table:
                raise Rejected(f"{table} is not the version of {self.name} that is being built")
            goal = await self._held(connection)
            reached = await self.reached(table)
            decided = await self._decided(connection)
            if any(at > goal[context][partition] for context, its in reached.items() for partition, at in its.items()):
                raise Rejected(f"{self.name} was put back to before where {table} stands: begin anew with --restart")
            if decided != versions.building_decided:
                raise Rejected(f"dead letters of {self.name} were skipped or mended meanwhile: begin anew with --restart")
            await complete(goal)
            found = await self._difference(connection, table)
            if versions.previous is not None:
                await self._drop(connection, versions.previous, PREVIOUS)
            await self._rename(connection, self._view.view_name, previous)
            await self._rename(connection, table, self._view.view_name)
            await connection.execute(statement("checkpoints_copy", self._schema), self.name, f"{self.name}{PREVIOUS}")
            await connection.execute(statement("checkpoints_forget", self._schema), own)
            await connection.execute(statement("checkpoints_touch", self._schema), self.name)
            await connection.execute(statement("dead_letters_rename", self._schema), self.name, f"{self.name}{PREVIOUS}")
            await connection.execute(statement("dead_letters_rename", self._schema), own, self.name)
            await self._note(connection, previous, decided, None if found is None else found.rows)
        return found

    async def roll_back(self) -> int | None:
        """Puts the version back that was live before, where it stood; its projectors catch up from the log.

        The two change places: rolling back once more brings the newer one again. Returns in how many rows they differed when
        they last changed places, ``None`` where they have different shapes.

        Raises `Rejected` where there is no earlier version, and where operators have decided of dead letters since it was live:
        it knows nothing of that.
        """
        live, aside = self._view.view_name, f"{self._view.view_name}_aside"
        before, mark = f"{self.name}{PREVIOUS}", f"{self.name}#aside"
        async with self._alone() as (connection, versions):
            if versions.previous is None:
                raise Rejected(f"there is no earlier version of {self.name}")
            await self._held(connection)
            decided = await self._decided(connection)
            if decided != versions.previous_decided:
                raise Rejected(
                    f"dead letters of {self.name} were skipped or mended since the switch, of which the earlier version knows"
                    f" nothing: `caudal projections rebuild {self.name}` makes one that minds them"
                )
            await self._rename(connection, live, aside)
            await self._rename(connection, versions.previous, live)
            await self._rename(connection, aside, versions.previous)
            await connection.execute(statement("checkpoints_copy", self._schema), self.name, mark)
            await connection.execute(statement("checkpoints_restore", self._schema), self.name, before)
            await connection.execute(statement("checkpoints_forget", self._schema), before)
            await connection.execute(statement("checkpoints_rename", self._schema), mark, before)
            for was, becomes in ((self.name, mark), (before, self.name), (mark, before)):
                await connection.execute(statement("dead_letters_rename", self._schema), was, becomes)
            await self._note(connection, versions.previous, decided, versions.previous_differs)
        return versions.previous_differs

    async def discard(self) -> Sequence[str]:
        """Drops whatever there is beside the live version and returns the tables' names."""
        async with self._alone() as (connection, versions):
            if versions.building is not None:
                await self._drop(connection, versions.building)
            if versions.previous is not None:
                await self._drop(connection, versions.previous, PREVIOUS)
            await self._note(connection, None, None, None)
        return [table for table in (versions.building, versions.previous) if table is not None]

    @property
    def _shape(self) -> str:
        return "\n".join(definition(table_of(self._home, self._view)))

    def _checkpoints(self, mark: str) -> Checkpoints:
        return Checkpoints(self._databases, self._dsn, self._schema, f"{self.name}{mark}")

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[tuple[Connection, Versions]]:
        """A transaction beside which nobody else touches the view's versions, and what there are."""
        async with self._databases.transaction(self._dsn) as connection:
            await connection.execute("set local lock_timeout = '10s'")
            row = await connection.fetchrow(statement("rebuild_lock", self._schema), self._view.view_name)
            assert row is not None, "it is made where it is missing"
            yield connection, Versions(*row.values())

    async def _held(self, connection: Connection) -> Positions:
        """Lets the live version stand still until the transaction's end, in every partition; returns where it stands."""
        goal: dict[ContextName, dict[int, int]] = {}
        for (context, partition), stand in (await self._live.lock(connection, self._partitions)).items():
            goal.setdefault(context, {})[partition] = stand.position
        return goal

    async def _decided(self, connection: Connection) -> str:
        return str(await connection.fetchval(statement("dead_letters_decisions", self._schema), self.name))

    async def _difference(self, connection: Connection, table: str) -> Difference | None:
        if await connection.fetchval(statement("version_definition", self._schema), self._view.view_name) != self._shape:
            return None
        compared = difference(table_of(self._home, self._view), table_of(self._home, self._view, table))
        rows = await connection.fetch(compared, _SHOWN, timeout=WHOLE_LOG_SECONDS)
        return Difference(rows[0]["total"] if rows else 0, [row["key"] for row in rows])

    async def _note(self, connection: Connection, previous: str | None, decided: str | None, differs: int | None) -> None:
        """Notes that nothing is being built, and what there is of the version before."""
        await connection.execute(statement("rebuild_note", self._schema), self._view.view_name, previous, decided, differs)

    async def _rename(self, connection: Connection, was: str, becomes: str) -> None:
        await connection.execute(statement("version_rename", self._schema), was, becomes)

    async def _drop(self, connection: Connection, table: str, mark: str | None = None) -> None:
        await connection.execute(statement("version_drop", self._schema), table)
        own = f"{self.name}{mark or f'#{table}'}"
        for forget in ("checkpoints_forget", "dead_letters_forget"):
            await connection.execute(statement(forget, self._schema), own)
