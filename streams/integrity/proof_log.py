"""What proves a log: its links, its ends, and the heads that were signed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streams.database.pools import WHOLE_LOG_SECONDS
from streams.integrity.hash_chain import Link
from streams.integrity.signing import SignedHead
from streams.log.reading import PostgresLog


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a log says that it ends, and where it does, at one moment."""

    position: int
    hash: bytes
    last: int
    """The highest position of an event."""
    versions: int
    """The sum of all streams' versions."""


class ProofLog(PostgresLog):
    """A context's log in PostgreSQL, for those who prove it."""

    async def ends(self) -> Ends:
        """Where it ends."""
        row = await self._store.fetchrow("ends", seconds=WHOLE_LOG_SECONDS)
        assert row is not None, "the migration made the head row"
        return Ends(row["position"], row["hash"], row["last"], int(row["versions"]))

    async def links(self, after: int, limit: int) -> Sequence[Link]:
        """At most ``limit`` events above a position with their hashes, in order."""
        return [Link.of(record) for record in await self._store.fetch("links", after, limit)]

    async def hashes(self, positions: Sequence[int]) -> Sequence[tuple[int, bytes]]:
        """The stored hashes at some positions, in order; what is not there is left out."""
        return [(row["position"], row["hash"]) for row in await self._store.fetch("hashes", positions)]

    async def unprecedented(self, links: Sequence[Link]) -> set[tuple[str, int]]:
        """Of the first events that each stream has among these, those whose predecessor the log does not have before them."""
        firsts: dict[str, int] = {}
        for link in links:
            firsts.setdefault(link.row.stream, link.row.version)
        asked = [(stream, version) for stream, version in firsts.items() if version > 1]
        if not asked:
            return set()
        arguments = ([stream for stream, _ in asked], [version for _, version in asked], links[0].row.position)
        rows = await self._store.fetch("unprecedented", *arguments)
        return {(row["stream"], row["version"]) for row in rows}

    async def stream_astray(self) -> tuple[str, int] | None:
        """A stream, with its last position, that says another last event than the log has; ``None`` where there is none."""
        row = await self._store.fetchrow("streams_astray", seconds=WHOLE_LOG_SECONDS)
        return None if row is None else (row["stream"], row["last_position"])

    async def signed_heads(self, after: int, limit: int) -> Sequence[SignedHead]:
        """At most ``limit`` signed heads above a position, in order."""
        rows = await self._store.fetch("signed_heads", after, limit)
        return [self._signed_head(row) for row in rows]

    async def newest_signed_heads(self, limit: int) -> Sequence[SignedHead]:
        """At most ``limit`` signed heads, the newest first."""
        rows = await self._store.fetch("signed_heads_newest", limit)
        return [self._signed_head(row) for row in rows]

    async def add_signed_head(self, head: SignedHead) -> None:
        """Keeps a signed head, where the log holds that event with that hash."""
        values = (head.position, head.hash, head.signed_at, head.key, head.signature)
        await self._store.execute("signed_head_add", *values)

    def _signed_head(self, row: Mapping[str, Any]) -> SignedHead:
        return SignedHead(
            context=self.context,
            position=row["position"],
            hash=row["hash"],
            signed_at=row["signed_at"],
            key=row["key"],
            signature=row["signature"],
        )
