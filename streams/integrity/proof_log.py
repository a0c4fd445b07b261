"""What proves a log: its links, its ends, and the heads that were signed."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.database.pools import WHOLE_LOG_SECONDS, statement
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
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("ends", self._schema), timeout=WHOLE_LOG_SECONDS)
        assert row is not None, "the migration made the head row"
        return Ends(row["position"], row["hash"], row["last"], int(row["versions"]))

    async def links(self, after: int, limit: int) -> Sequence[Link]:
        """At most ``limit`` events above a position with their hashes, in order."""
        async with self._databases.connection(self._dsn) as connection:
            return [Link.of(record) for record in await connection.fetch(statement("links", self._schema), after, limit)]

    async def hashes(self, positions: Sequence[int]) -> Sequence[tuple[int, bytes]]:
        """The stored hashes at some positions, in order; what is not there is left out."""
        async with self._databases.connection(self._dsn) as connection:
            return [
                (row["position"], row["hash"]) for row in await connection.fetch(statement("hashes", self._schema), positions)
            ]

    async def unprecedented(self, links: Sequence[Link]) -> set[tuple[str, int]]:
        """Of the first events that each stream has among these, those whose predecessor the log does not have before them."""
        firsts: dict[str, int] = {}
        for link in links:
            firsts.setdefault(link.row.stream, link.row.version)
        asked = [(stream, version) for stream, version in firsts.items() if version > 1]
        if not asked:
            return set()
        arguments = ([stream for stream, _ in asked], [version for _, version in asked], links[0].row.position)
        async with self._databases.connection(self._dsn) as connection:
            rows = await connection.fetch(statement("unprecedented", self._schema), *arguments)
        return {(row["stream"], row["version"]) for row in rows}

    async def stream_astray(self) -> tuple[str, int] | None:
        """A stream, with its last position, that says another last event than the log has; ``None`` where there is none."""
        async with self._databases.connection(self._dsn) as connection:
            row = await connection.fetchrow(statement("streams_astray", self._schema), timeout=WHOLE_LOG_SECONDS)
        return None if row is None else (row["stream"], row["last_position"])

    async def signed_heads(self, after: int, limit: int) -> Sequence[SignedHead]:
        """At most ``limit`` signed heads above a position, in order."""
        async with self._databases.connection(self._dsn) as connection:
            rows = await connection.fetch(statement("signed_heads", self._schema), after, limit)
        return [SignedHead(self.context, *row.values()) for row in rows]

    async def newest_signed_heads(self, limit: int) -> Sequence[SignedHead]:
        """At most ``limit`` signed heads, the newest first."""
        async with self._databases.connection(self._dsn) as connection:
            rows = await connection.fetch(statement("signed_heads_newest", self._schema), limit)
        return [SignedHead(self.context, *row.values()) for row in rows]

    async def add_signed_head(self, head: SignedHead) -> None:
        """Keeps a signed head, where the log holds that event with that hash."""
        values = (head.position, head.hash, head.signed_at, head.key, head.signature)
        async with self._databases.connection(self._dsn) as connection:
            await connection.execute(statement("signed_head_add", self._schema), *values)
