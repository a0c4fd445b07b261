"""Reading of a log for proofs: its links, its ends and its signed heads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streams.database.pools import WHOLE_LOG_SECONDS
from streams.integrity.hash_chain import Link
from streams.integrity.signing import SignedHead
from streams.log.reading import MAX_READ_BYTES, PostgresLog


@dataclass(frozen=True, slots=True)
class Ends:
    """The end of a log according to its head, and according to its events, at one moment."""

    position: int
    hash: bytes
    last: int
    """The highest position of an event."""
    versions: int
    """The sum of all streams' versions."""


class ProofLog(PostgresLog):
    """A context's log in PostgreSQL, for proofs."""

    async def ends(self) -> Ends:
        """Returns the ends of the log."""
        row = await self._store.fetchrow("ends", seconds=WHOLE_LOG_SECONDS)
        assert row is not None, "the migration creates the head row"
        return Ends(row["position"], row["hash"], row["last"], int(row["versions"]))

    async def links(self, after: int, limit: int) -> Sequence[Link]:
        """Returns events above a position with their hashes, in order; see `ReadableLog`."""
        return [Link.of(record) for record in await self._store.fetch("links", after, limit, MAX_READ_BYTES)]

    async def hashes(self, positions: Sequence[int]) -> Sequence[tuple[int, bytes]]:
        """Returns the stored hashes at some positions, in order; positions without an event are left out."""
        return [(row["position"], row["hash"]) for row in await self._store.fetch("hashes", positions)]

    async def without_predecessor(self, links: Sequence[Link]) -> set[tuple[str, int]]:
        """Returns the stream and version of each stream's first event in ``links`` whose predecessor is missing in the log."""
        firsts: dict[str, int] = {}
        for link in links:
            firsts.setdefault(link.row.stream, link.row.version)
        asked = [(stream, version) for stream, version in firsts.items() if version > 1]
        if not asked:
            return set()
        arguments = ([stream for stream, _ in asked], [version for _, version in asked], links[0].row.position)
        rows = await self._store.fetch("events_without_predecessor", *arguments)
        return {(row["stream"], row["version"]) for row in rows}

    async def mismatched_stream(self) -> tuple[str, int] | None:
        """Returns a stream whose row does not match its events, with the row's last position; ``None`` if all match."""
        row = await self._store.fetchrow("streams_mismatched", seconds=WHOLE_LOG_SECONDS)
        return None if row is None else (row["stream"], row["last_position"])

    async def signed_heads(self, after: tuple[int, bytes], limit: int) -> Sequence[SignedHead]:
        """Returns at most ``limit`` signed heads after a position and signature, in order: a position may have several."""
        rows = await self._store.fetch("signed_heads", *after, limit)
        return [self._signed_head(row) for row in rows]

    async def newest_signed_heads(self, limit: int) -> Sequence[SignedHead]:
        """Returns at most ``limit`` signed heads, the newest first."""
        rows = await self._store.fetch("signed_heads_newest", limit)
        return [self._signed_head(row) for row in rows]

    async def add_signed_head(self, head: SignedHead) -> None:
        """Stores a signed head if the log holds an event with that position and hash; ignores it otherwise."""
        values = (head.position, head.hash, head.timeline, head.signed_at, head.key, head.signature)
        await self._store.execute("signed_head_add", *values)

    def _signed_head(self, row: Mapping[str, Any]) -> SignedHead:
        return SignedHead(
            context=self.context,
            position=row["position"],
            hash=row["hash"],
            timeline=row["timeline"],
            signed_at=row["signed_at"],
            key=row["key"],
            signature=row["signature"],
        )
