"""How far each partition of a commands topic has been handled, kept beside the log: offsets say what clocks cannot.

When receipts are dropped, the offset up to which commands had been handled by then is kept as the one up to which receipts may
be missing. If the offsets of the consumer group are lost, a command up to there that has no receipt may have been handled.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from streams.database.store import Store


@dataclass(frozen=True, slots=True)
class Expired:
    """The last command that had been handled when receipts were dropped."""

    offset: int
    digest: bytes
    """Of its record: another record at this offset is one of another topic of this name."""


class HandledCommands:
    """How far the commands topic of one context has been handled. All methods raise `Unavailable`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, partition: int, record: Any) -> None:
        """Notes that the records of a partition are handled up to this one; does nothing if later ones are noted."""
        await self._store.execute("handled_commands_note", partition, record.offset, digest(record))

    async def expired(self, partition: int) -> Expired | None:
        """Returns the last command of a partition whose receipt may have been dropped, or ``None``."""
        row = await self._store.fetchrow("handled_commands_expired", partition)
        return None if row is None else Expired(row["expired_up_to"], row["expired_record"])

    async def drop(self, partition: int) -> None:
        """Drops what is noted of a partition: its topic was created anew."""
        await self._store.execute("handled_commands_drop", partition)


def digest(record: Any) -> bytes:
    """Returns what identifies a record at its offset: SHA-256 of its timestamp, key, value and headers."""
    return hashlib.sha256(repr((record.timestamp, record.key, record.value, list(record.headers))).encode()).digest()
