"""The lease on a log: one owner publishes it at a time, fenced by an epoch that grows with every change of owner."""

import time

from schemas.errors import LeaseLost
from streams.database.store import Store


class Lease:
    """One process's hold on one context's log."""

    def __init__(self, store: Store, owner: str, seconds: float) -> None:
        self._store, self._owner, self._seconds = store, owner, seconds
        self._epoch: int | None = None
        self._renewed = 0.0

    async def announce(self) -> int:
        """Says that this process could relay the log; returns how many could, itself included."""
        others = await self._store.fetchval("relays_announce", self._owner, self._seconds)
        return 1 + int(others)

    async def withdraw(self) -> None:
        """Takes that back, so that others need not leave room for this process."""
        await self._store.execute("relays_withdraw", self._owner)

    async def is_held(self) -> bool:
        """Whether any process holds the lease."""
        row = await self._store.fetchrow("relay_state")
        return row is not None and bool(row["held"])

    async def take(self) -> int | None:
        """Takes the lease and returns the cursor's position; ``None`` while another process holds it."""
        asked = time.monotonic()
        row = await self._store.fetchrow("lease_take", self._owner, self._seconds)
        if row is None:
            return None
        self._epoch, self._renewed = row["epoch"], asked
        return int(row["position"])

    async def renew_in_time(self) -> bool:
        """Renews the lease once a third of it is over, and says if it did; raises `LeaseLost` where another process has it."""
        asked = time.monotonic()
        if asked - self._renewed < self._seconds / 3:
            return False
        row = await self._store.fetchrow("lease_renew", self._owner, self._epoch, self._seconds)
        if row is None:
            raise LeaseLost(f"epoch {self._epoch} is over")
        self._renewed = asked
        return True

    async def move(self, position: int) -> None:
        """Moves the cursor; raises `LeaseLost` where another process has the lease, and moves nothing then."""
        row = await self._store.fetchrow("relay_move", self._epoch, position)
        if row is None:
            raise LeaseLost(f"epoch {self._epoch} is over")

    async def release(self) -> None:
        """Gives the lease back, so that another process need not wait for its end."""
        if self._epoch is None:
            return
        epoch, self._epoch = self._epoch, None
        await self._store.execute("lease_release", self._owner, epoch)
