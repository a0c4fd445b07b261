"""The lease on a log: one owner publishes it at a time, fenced by an epoch that grows with every change of owner."""

import time

from schemas.catalog import ContextName
from schemas.errors import LeaseLost
from streams.database.pools import Databases, log_schema, statement


class Lease:
    """One process's hold on one context's log."""

    def __init__(self, databases: Databases, dsn: str, context: ContextName, owner: str, seconds: float) -> None:
        self._databases, self._dsn, self._schema = databases, dsn, log_schema(context)
        self._owner, self._seconds = owner, seconds
        self._epoch: int | None = None
        self._renewed = 0.0

    async def announce(self) -> int:
        """Says that this process could relay the log; returns how many could, itself included."""
        async with self._databases.connection(self._dsn) as connection:
            others = await connection.fetchval(statement("relays_announce", self._schema), self._owner, self._seconds)
        return 1 + int(others)

    async def withdraw(self) -> None:
        """Takes that back, so that others need not leave room for this process."""
        async with self._databases.connection(self._dsn) as connection:
            await connection.execute(statement("relays_withdraw", self._schema), self._owner)

    async def is_held(self) -> bool:
        """Whether any process holds the lease."""
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("relay_state", self._schema))
        return row is not None and bool(row["held"])

    async def take(self) -> int | None:
        """Takes the lease and returns the cursor's position; ``None`` while another process holds it."""
        asked = time.monotonic()
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("lease_take", self._schema), self._owner, self._seconds)
        if row is None:
            return None
        self._epoch, self._renewed = row["epoch"], asked
        return int(row["position"])

    async def renew_in_time(self) -> bool:
        """Renews the lease once a third of it is over, and says if it did; raises `LeaseLost` where another process has it."""
        asked = time.monotonic()
        if asked - self._renewed < self._seconds / 3:
            return False
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("lease_renew", self._schema), self._owner, self._epoch, self._seconds)
        if row is None:
            raise LeaseLost(f"epoch {self._epoch} is over")
        self._renewed = asked
        return True

    async def move(self, position: int) -> None:
        """Moves the cursor; raises `LeaseLost` where another process has the lease, and moves nothing then."""
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("relay_move", self._schema), self._epoch, position)
        if row is None:
            raise LeaseLost(f"epoch {self._epoch} is over")

    async def release(self) -> None:
        """Gives the lease back, so that another process need not wait for its end."""
        if self._epoch is None:
            return
        epoch, self._epoch = self._epoch, None
        async with self._databases.connection(self._dsn) as connection:
            await connection.execute(statement("lease_release", self._schema), self._owner, epoch)
