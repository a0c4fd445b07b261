"""Checkpoints of one subscription: its position in each partition, and whether operators have paused or reset it."""

from __future__ import annotations  # the connection's class is known to the type checker only

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from schemas.system import ContextName
from streams.database.pools import Connection
from streams.database.store import Store


class Checkpoint(NamedTuple):
    """The checkpoint of a partition."""

    position: int
    """Of the last event that was handled."""
    generation: int
    """How often the checkpoint was reset, or its view replaced."""


class Blockers(NamedTuple):
    """The conditions that keep a subscription from handling events in the usual way."""

    is_paused: bool
    with_dead_letters: frozenset[ContextName]
    """Contexts with open dead letters, or with resolved ones of events that come again after a reset."""


class Move(NamedTuple):
    """The step of a checkpoint from one position to a later one."""

    context: ContextName
    partition: int
    before: Checkpoint
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlState:
    """The operators' instructions to a subscription, and the work that its dead letters require."""

    is_paused: bool = False
    generation: int = 0
    open_dead_letters: int = 0
    has_unpublished_dead_letters: bool = False
    followed: Mapping[ContextName, frozenset[str]] | None = None
    """The events that the subscription follows, by context, in the version that migrated the database last; each as
    ``Type@schema_version``. ``None``: they were not recorded.
    """


class Checkpoints:
    """The checkpoints of one subscription in one schema: of a view, or of a log that a policy follows.

    All methods raise `Unavailable` while the database is out of reach.
    """

    def __init__(self, store: Store, subscription: str) -> None:
        self._store, self._subscription = store, subscription

    async def read(self, context: ContextName, partition: int) -> Checkpoint:
        """Returns the checkpoint of a partition."""
        row = await self._store.fetchrow("checkpoint", self._subscription, str(context), partition)
        return Checkpoint(0, 0) if row is None else Checkpoint(row["position"], row["generation"])

    async def all(self, connection: Connection | None = None) -> dict[ContextName, dict[int, int]]:
        """Returns every position, by context and partition."""
        if connection is None:
            async with self._store.connection() as own:
                return await self.all(own)
        found: dict[ContextName, dict[int, int]] = {}
        for row in await connection.fetch(self._store.sql("checkpoints"), self._subscription):
            found.setdefault(ContextName.parse(row["source"]), {})[row["partition"]] = row["position"]
        return found

    async def of(self, context: ContextName) -> dict[int, int]:
        """Returns the positions in a context's partitions, as far as there are checkpoints."""
        return (await self.all()).get(context, {})

    async def states(self) -> dict[tuple[ContextName, int], Checkpoint]:
        """Returns every checkpoint, by context and partition."""
        rows = await self._store.fetch("checkpoints", self._subscription)
        return {
            (ContextName.parse(row["source"]), row["partition"]): Checkpoint(row["position"], row["generation"]) for row in rows
        }

    async def control_state(self) -> ControlState:
        """Returns whether the subscription is paused or was reset, and the work that its dead letters require."""
        row = await self._store.fetch_merged("subscription_control", self._subscription)
        if row is None:
            return ControlState()
        fields = dict(row)
        if (recorded := fields.pop("followed")) is None:
            return ControlState(**fields)
        followed = {ContextName.parse(context): frozenset(events) for context, events in orjson.loads(recorded).items()}
        return ControlState(**fields, followed=followed)

    async def lock(
        self, connection: Connection, partitions: Sequence[tuple[ContextName, int]]
    ) -> Mapping[tuple[ContextName, int], Checkpoint]:
        """Locks the checkpoints of some partitions until the end of a transaction; creates those that are missing."""
        arguments = ([str(context) for context, _ in partitions], [partition for _, partition in partitions])
        found = await connection.fetch(self._store.sql("checkpoints_lock"), self._subscription, *arguments)
        if len(found) < len(partitions):
            await connection.execute(self._store.sql("checkpoints_create"), self._subscription, *arguments)
            found = await connection.fetch(self._store.sql("checkpoints_lock"), self._subscription, *arguments)
        return {
            (ContextName.parse(row["source"]), row["partition"]): Checkpoint(row["position"], row["generation"])
            for row in found
        }

    async def blockers(self, connection: Connection, locked: Mapping[tuple[ContextName, int], Checkpoint]) -> Blockers:
        """Returns what blocks a subscription whose checkpoints are locked."""
        contexts, partitions = [str(context) for context, _ in locked], [partition for _, partition in locked]
        positions = [checkpoint.position for checkpoint in locked.values()]
        sql = self._store.sql("checkpoints_blockers")
        row = await connection.fetchrow(sql, self._subscription, contexts, partitions, positions)
        assert row is not None, "the statement always returns one row"
        return Blockers(row["is_paused"], frozenset(map(ContextName.parse, row["with_dead_letters"])))

    async def move(self, connection: Connection, moves: Sequence[Move]) -> None:
        """Moves checkpoints that are locked."""
        contexts, partitions, _, positions = (list(column) for column in zip(*moves, strict=True))
        sql = self._store.sql("checkpoints_move")
        await connection.execute(sql, self._subscription, [str(context) for context in contexts], partitions, positions)

    async def advance(self, context: ContextName, partition: int, position: int, generation: int) -> None:
        """Moves one checkpoint forward, unless it was reset since it had that generation."""
        await self._store.execute("checkpoint_advance", self._subscription, str(context), partition, position, generation)

    async def pause(self) -> None:
        """Pauses the subscription in every process until it is resumed."""
        await self._store.execute("subscription_pause", self._subscription)

    async def resume(self) -> None:
        """Ends the pause."""
        await self._store.execute("subscription_resume", self._subscription)

    async def reset(self, connection: Connection, context: ContextName, positions: Mapping[int, int]) -> None:
        """Sets the checkpoints of a context's partitions; every process that runs the subscription continues from there."""
        sql = self._store.sql("checkpoints_reset")
        await connection.execute(sql, self._subscription, str(context), list(positions), list(positions.values()))
