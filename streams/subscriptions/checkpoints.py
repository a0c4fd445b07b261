"""Checkpoints: where one subscription stands in each partition that it follows, and what operators say of it."""

from __future__ import annotations  # the connection's class is known to the type checker only

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.catalog import ContextName
from streams.database.pools import Connection, Databases
from streams.database.store import statement


class Checkpoint(NamedTuple):
    """Where a subscription stands in a partition."""

    position: int
    generation: int
    """How often an operator has put it elsewhere, or other rows under it."""


class Hindrances(NamedTuple):
    """What keeps a subscription from taking events as they come."""

    is_paused: bool
    with_dead_letters: frozenset[ContextName]
    """Contexts that have open ones, or decided ones of events that come again after a reset."""


class Move(NamedTuple):
    """How a checkpoint goes forward."""

    context: ContextName
    partition: int
    before: Checkpoint
    after: int


@dataclass(frozen=True, slots=True)
class Control:
    """What operators have said of a subscription, and what is due of its dead letters."""

    is_paused: bool = False
    generation: int = 0
    open_dead_letters: int = 0
    has_unpublished_dead_letters: bool = False


class Checkpoints:
    """The checkpoints of one subscription in one schema: a view's, or that of a log which a policy follows."""

    def __init__(self, databases: Databases, dsn: str, schema: str, subscription: str) -> None:
        self._databases, self._dsn, self._schema, self._subscription = databases, dsn, schema, subscription

    async def read(self, context: ContextName, partition: int) -> Checkpoint:
        """Where it stands in a partition; raises `Unavailable`, as all of these do."""
        async with self._databases.connection(self._dsn) as connection:
            sql = statement("checkpoint", self._schema)
            row = await connection.fetchrow(sql, self._subscription, str(context), partition)
        return Checkpoint(0, 0) if row is None else Checkpoint(*row.values())

    async def all(self, connection: Connection | None = None) -> dict[ContextName, dict[int, int]]:
        """Every position, by context and partition."""
        if connection is None:
            async with self._databases.connection(self._dsn) as own:
                return await self.all(own)
        found: dict[ContextName, dict[int, int]] = {}
        for row in await connection.fetch(statement("checkpoints", self._schema), self._subscription):
            found.setdefault(ContextName.parse(row["source"]), {})[row["partition"]] = row["position"]
        return found

    async def control(self) -> Control:
        """What operators have said of it."""
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("subscription_control", self._schema), self._subscription)
        return Control() if row is None else Control(*row.values())

    async def lock(
        self, connection: Connection, partitions: Sequence[tuple[ContextName, int]]
    ) -> Mapping[tuple[ContextName, int], Checkpoint]:
        """Locks the checkpoints of some partitions within a transaction, beginning those that are not there yet."""
        asked = ([str(context) for context, _ in partitions], [partition for _, partition in partitions])
        sql = statement("checkpoints_lock", self._schema)
        found = await connection.fetch(sql, self._subscription, *asked)
        if len(found) < len(partitions):
            await connection.execute(statement("checkpoints_open", self._schema), self._subscription, *asked)
            found = await connection.fetch(sql, self._subscription, *asked)
        return {
            (ContextName.parse(row["source"]), row["partition"]): Checkpoint(row["position"], row["generation"])
            for row in found
        }

    async def hindrances(self, connection: Connection, stands: Mapping[tuple[ContextName, int], Checkpoint]) -> Hindrances:
        """What is to be minded of a subscription whose checkpoints are locked."""
        contexts, partitions = [str(context) for context, _ in stands], [partition for _, partition in stands]
        positions = [stand.position for stand in stands.values()]
        sql = statement("checkpoints_hindrances", self._schema)
        row = await connection.fetchrow(sql, self._subscription, contexts, partitions, positions)
        assert row is not None, "it asks whether something exists"
        return Hindrances(row["is_paused"], frozenset(map(ContextName.parse, row["with_dead_letters"])))

    async def move(self, connection: Connection, moves: Sequence[Move]) -> None:
        """Moves checkpoints that are locked."""
        contexts, partitions, _, positions = (list(column) for column in zip(*moves, strict=True))
        sql = statement("checkpoints_move", self._schema)
        await connection.execute(sql, self._subscription, [str(context) for context in contexts], partitions, positions)

    async def advance(self, context: ContextName, partition: int, position: int, generation: int) -> None:
        """Moves one checkpoint forward, unless an operator has put it elsewhere since it had that many generation."""
        async with self._databases.connection(self._dsn) as connection:
            sql = statement("checkpoint_advance", self._schema)
            await connection.execute(sql, self._subscription, str(context), partition, position, generation)

    async def pause(self) -> None:
        """Lets the subscription rest wherever it runs, until it is resumed."""
        async with self._databases.connection(self._dsn) as connection:
            await connection.execute(statement("subscription_pause", self._schema), self._subscription)

    async def resume(self) -> None:
        """Lets it go on."""
        async with self._databases.connection(self._dsn) as connection:
            await connection.execute(statement("subscription_resume", self._schema), self._subscription)

    async def reset(self, connection: Connection, context: ContextName, positions: Mapping[int, int]) -> None:
        """Puts the checkpoints of a context's partitions elsewhere; whoever runs the subscription goes on from there."""
        sql = statement("checkpoints_reset", self._schema)
        await connection.execute(sql, self._subscription, str(context), list(positions), list(positions.values()))
