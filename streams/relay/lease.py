"""The lease on a log: one process publishes a log at a time, fenced by an epoch that grows with every change of owner."""

import time

from schemas.errors import LeaseLost
from streams.database.store import Store


class Lease:
    """One process's hold on one log. Every method raises `Unavailable` while the database is out of reach."""

    def __init__(self, store: Store, owner: str, seconds: float) -> None:
        self._store, self._owner, self._seconds = store, owner, seconds
        self._epoch: int | None = None
        self._renewed = 0.0

    async def announce(self) -> int:
        """Announces that this process could relay the log; returns how many processes could, including itself."""
        others = await self._store.fetchval("relays_announce", self._owner, self._seconds)
        return 1 + int(others)

    async def withdraw(self) -> None:
        """Withdraws the announcement, so that other processes do not leave a share for this one."""
        await self._store.execute("relays_withdraw", self._owner)

    async def is_held(self) -> bool:
        """Returns whether any process holds the lease."""
        row = await self._store.fetchrow("relay_state")
        return row is not None and bool(row["held"])

    async def take(self) -> int | None:
        """Takes the lease and returns the cursor's position, or ``None`` while another process holds the lease."""
        asked = time.monotonic()
        row = await self._store.fetchrow("lease_take", self._owner, self._seconds)
        if row is None:
            return None
        self._epoch, self._renewed = row["epoch"], asked
        return int(row["position"])

    async def renew_in_time(self) -> bool:
        """Renews the lease if a third of it is over, and returns whether it did; raises `LeaseLost` if it has another owner."""
        asked = time.monotonic()
        if asked - self._renewed < self._seconds / 3:
            return False
        if await self._store.fetchrow("lease_renew", self._owner, self._epoch, self._seconds) is None:
            raise LeaseLost(f"epoch {self._epoch} is over")
        self._renewed = asked
        return True

    async def move(self, position: int, problem: str | None = None) -> None:
        """Moves the cursor, and notes what keeps partitions from being published, if anything does.

        Raises `LeaseLost`, and changes nothing, if another process holds the lease.
        """
        if await self._store.fetchrow("relay_move", self._epoch, position, problem) is None:
            raise LeaseLost(f"epoch {self._epoch} is over")

    async def release(self) -> None:
        """Releases the lease, so that another process need not wait until it expires."""
        if self._epoch is None:
            return
        epoch, self._epoch = self._epoch, None
        await self._store.execute("lease_release", self._owner, epoch)
