"""Rebuild: makes a new version of a view from the logs beside the live one, and puts it in its place in one transaction.

The new version never overtakes the live one. At the end the live view's checkpoints are held for a moment, the new version is
brought to exactly those positions, the two are compared, and their tables change names: no query sees a half-built view, and
projectors go on with the new one without noticing. The old one is kept, at the positions where it stood.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from projectors.projection import Projection
from projectors.projector import Beside, Projector
from schemas.catalog import Catalog, ContextName
from schemas.errors import Refused
from schemas.view import View
from streams.checkpoints import Checkpoints
from streams.log import PostgresLog, partition_events
from streams.postgres import WHOLE_LOG_SECONDS, Connection, Databases, statement, views_schema
from streams.settings import Settings
from streams.subscriber import Slice
from streams.subscription_store import SubscriptionStore
from streams.view_table import definition, difference, table_of

PREVIOUS = "#previous"
Positions = Mapping[ContextName, Mapping[int, int]]
"""Of each partition of some contexts."""
_EVENTS_AT_ONCE = 2000
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Versions:
    """The tables of a view, beside the live one."""

    generation: int = 0
    building: str | None = None
    previous: str | None = None
    switched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """How a new version differs from the live one at the same position."""

    rows: int
    some: Sequence[str]
    """Keys of some of them."""


def total(positions: Positions) -> int:
    """All positions together: by that progress is measured."""
    return sum(position for at in positions.values() for position in at.values())


class Rebuild:
    """Rebuilds one view. Acts as the owner: it makes and drops tables."""

    def __init__(
        self, settings: Settings, catalog: Catalog, system: str, projection: Projection[Any], databases: Databases
    ) -> None:
        view: type[View] = projection.view
        self._home = ContextName(system, view.view_context)
        self.name = f"{system}.{projection.name}"
        self.contexts = frozenset(catalog.context_of(event) for event in projection.folds)
        self._settings, self._catalog, self._system, self._projection = settings, catalog, system, projection
        self._databases, self._view = databases, view
        self._dsn, self._schema = settings.view_dsn(self._home), views_schema(self._home)
        self._logs = {name: PostgresLog(databases, settings.log_dsn(name), name) for name in catalog.contexts}
        self._live = Checkpoints(databases, self._dsn, self._schema, self.name)

    async def versions(self) -> Versions:
        """Which versions there are beside the live one."""
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("rebuild_state", self._schema), self._view.view_name)
        return Versions() if row is None else Versions(*row.values())

    async def begin(self, *, again: bool) -> str:
        """Goes on with the version that was begun, or begins one; with ``again`` always anew. Returns its table's name."""
        versions = await self.versions()
        if versions.building is not None and not again:
            return versions.building
        async with self._databases.transaction(self._dsn) as connection:
            if versions.building is not None:
                await self._drop(connection, versions.building)
            name = str(await connection.fetchval(statement("rebuild_begin", self._schema), self._view.view_name))
            for line in definition(table_of(self._home, self._view, name)):
                await connection.execute(line)
            shape = "\n".join(definition(table_of(self._home, self._view)))
            await connection.execute(statement("version_note", self._schema), name, shape)
        return name

    async def builder(self, table: str) -> Projector:
        """What fills the new version: a projector that stands for itself."""
        letters = SubscriptionStore.at(
            self._settings, self._databases, self._dsn, self._schema, self.name, self.contexts
        ).letters
        async with self._databases.connection(self._dsn) as connection:
            decided = await letters.decided(connection, open_too=False)
        beside = Beside(table, f"#{table}", decided)
        return Projector(self._settings, self._catalog, self._system, self._projection, self._databases, self._logs, beside)

    async def goal(self) -> Mapping[ContextName, dict[int, int]]:
        """Where the live view stands now: as far as a new version is built."""
        found = await self._live.all()
        return {context: found[context] for context in sorted(found) if context in self.contexts}

    async def reached(self, table: str) -> Mapping[ContextName, dict[int, int]]:
        """Where the new version stands."""
        return await Checkpoints(self._databases, self._dsn, self._schema, f"{self.name}#{table}").all()

    async def build(self, table: str, partitions: Sequence[tuple[ContextName, int, int]]) -> None:
        """Brings some partitions of a new version forward: context, partition, and the position up to which."""
        builder = await self.builder(table)
        for context, partition, upto in partitions:
            position = await builder.position(context, partition)
            async for rows in partition_events(self._logs[context], partition, position, upto, _EVENTS_AT_ONCE):
                await builder.take([Slice(context, partition, rows)])

    async def switch(self, table: str) -> Difference | None:
        """Puts the new version in the live one's place and returns how the two differ at the same positions.

        ``None`` where they cannot be compared, because the live one has another shape.

        Raises `Unavailable`, and changes nothing, where a long query does not let go of the live table.
        """
        versions = await self.versions()
        if versions.building != table:
            raise Refused(f"{table} is not the version of {self.name} that is being built")
        previous = f"{self._view.view_name}_previous"
        async with self._held() as (connection, goal):
            partitions = [(context, partition, upto) for context, at in goal.items() for partition, upto in at.items()]
            await self.build(table, partitions)
            found = await self._difference(connection, table)
            if versions.previous is not None:
                await self._drop(connection, versions.previous, PREVIOUS)
            await self._rename(connection, self._view.view_name, previous)
            await self._rename(connection, table, self._view.view_name)
            own = f"{self.name}#{table}"
            await connection.execute(statement("checkpoints_copy", self._schema), self.name, f"{self.name}{PREVIOUS}")
            await connection.execute(statement("checkpoints_forget", self._schema), own)
            await connection.execute(statement("dead_letters_rename", self._schema), self.name, f"{self.name}{PREVIOUS}")
            await connection.execute(statement("dead_letters_rename", self._schema), own, self.name)
            note = statement("rebuild_note", self._schema)
            await connection.execute(note, self._view.view_name, None, previous, True)
        return found

    async def roll_back(self) -> None:
        """Puts the version back that was live before, where it stood; its projectors catch up from the log.

        The two change places: rolling back once more brings the newer one again. Raises `Refused` where there is none.
        """
        versions = await self.versions()
        if versions.previous is None:
            raise Refused(f"there is no earlier version of {self.name}")
        live, aside = self._view.view_name, f"{self._view.view_name}_aside"
        async with self._held() as (connection, _):
            await self._rename(connection, live, aside)
            await self._rename(connection, versions.previous, live)
            await self._rename(connection, aside, versions.previous)
            before, mark = f"{self.name}{PREVIOUS}", f"{self.name}#aside"
            await connection.execute(statement("checkpoints_copy", self._schema), self.name, mark)
            await connection.execute(statement("checkpoints_restore", self._schema), self.name, before)
            await connection.execute(statement("checkpoints_forget", self._schema), before)
            await connection.execute(statement("checkpoints_rename", self._schema), mark, before)
            for was, becomes in ((self.name, mark), (before, self.name), (mark, before)):
                await connection.execute(statement("dead_letters_rename", self._schema), was, becomes)

    async def discard(self) -> None:
        """Drops whatever there is beside the live view."""
        versions = await self.versions()
        async with self._databases.transaction(self._dsn) as connection:
            if versions.building is not None:
                await self._drop(connection, versions.building)
            if versions.previous is not None:
                await self._drop(connection, versions.previous, PREVIOUS)
            await connection.execute(statement("rebuild_note", self._schema), self._view.view_name, None, None, False)

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[tuple[Connection, Mapping[ContextName, dict[int, int]]]]:
        """A transaction in which the live view stands still, and where it stands."""
        asked = [(context, partition) for context, at in (await self.goal()).items() for partition in at]
        async with self._databases.transaction(self._dsn) as connection:
            await connection.execute("set local lock_timeout = '10s'")
            held = await self._live.lock(connection, asked) if asked else {}
            goal: dict[ContextName, dict[int, int]] = {}
            for (context, partition), stand in held.items():
                goal.setdefault(context, {})[partition] = stand.position
            yield connection, goal

    async def _difference(self, connection: Connection, table: str) -> Difference | None:
        sql, shape = statement("version_definition", self._schema), "\n".join(definition(table_of(self._home, self._view)))
        if await connection.fetchval(sql, self._view.view_name) != shape:
            return None
        compared = difference(table_of(self._home, self._view), table_of(self._home, self._view, table))
        rows = await connection.fetch(compared, _SHOWN, timeout=WHOLE_LOG_SECONDS)
        return Difference(rows[0]["total"] if rows else 0, [row["key"] for row in rows])

    async def _rename(self, connection: Connection, was: str, becomes: str) -> None:
        await connection.execute(statement("version_rename", self._schema), was, becomes)

    async def _drop(self, connection: Connection, table: str, mark: str | None = None) -> None:
        await connection.execute(statement("version_drop", self._schema), table)
        own = f"{self.name}{mark or f'#{table}'}"
        for forget in ("checkpoints_forget", "dead_letters_forget"):
            await connection.execute(statement(forget, self._schema), own)
