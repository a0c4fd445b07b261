"""Proofs: a stream's events with all that a stranger needs to check that the signed log holds them, and nothing else of it.

`docs/verify_proof.py` is that stranger: some fifty lines that share no code with this.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from query_api.audit.history import described
from schemas.errors import NotAsSigned, NotFound
from streams.integrity.hash_chain import BEGIN, Link, content_hash
from streams.integrity.proof_log import ProofLog
from streams.integrity.signing import SignedHead
from streams.log.stored_events import StoredEvent

_BATCH_SIZE = 2000
_ENOUGH_LINKS = 10_000
MAX_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Proof:
    """A stream's events, proved."""

    document: Mapping[str, Any]
    next: int | None
    """The version after which a further proof goes on, where this one stops before the stream's end."""


async def proof_of(log: ProofLog, stream: str, after: int = 0, limit: int = MAX_EVENTS) -> Proof:
    """A stream's events above a version, each with its place in a segment of the chain that ends in a signed head.

    A segment begins at the first event that it proves and names the hash before it; of other streams' events it shows the
    hash of the content alone. Events that no signed head covers yet are left out. Of events that lie far apart few fit in
    one proof: it stops once its segments have some ten thousand links. Raises `NotFound`, and `NotAsSigned` where events
    are missing that were signed.
    """
    rows = await log.read_stream(stream, after, limit)
    if not rows:
        raise NotFound(f"there is no stream {stream!r} in {log.context} with a version above {after}")
    segments: list[Mapping[str, Any]] = []
    proved = links = 0
    while proved < len(rows) and links < _ENOUGH_LINKS:
        head = await _head_at_or_above(log, rows[proved].position)
        if head is None:
            break
        covered = [row for row in rows[proved:] if row.position <= head.position]
        segments.append(await _segment(log, covered, head))
        links += len(segments[-1]["chain"])
        proved += len(covered)
    document = {
        "format": "caudal proof 1",
        "context": str(log.context),
        "stream": stream,
        "after_version": after,
        "segments": segments,
    }
    up_to = after + proved
    return Proof(document, up_to if segments and up_to < await log.version(stream) else None)


async def _head_at_or_above(log: ProofLog, position: int) -> SignedHead | None:
    for head in await log.signed_heads(position - 1, 10):
        if await log.hashes([head.position]) == [(head.position, head.hash)]:
            return head
    return None


async def _segment(log: ProofLog, covered: Sequence[StoredEvent], head: SignedHead) -> Mapping[str, Any]:
    begin = covered[0].position
    before = await log.hashes([begin - 1])
    shown = {row.position for row in covered}
    chain: list[Any] = []
    position = begin - 1
    while position < head.position:
        links = await log.links(position, min(_BATCH_SIZE, head.position - position))
        for link in links:
            position += 1
            if link.row.position != position:
                break
            chain.append(_event(link) if position in shown else content_hash(link.row).hex())
        if not links or links[-1].row.position != position:
            raise NotAsSigned(f"the log of {log.context} lacks events below {head.position}, which is signed")
    return {"hash_before": (before[0][1] if before else BEGIN).hex(), "chain": chain, "head": head.as_json()}


def _event(link: Link) -> Mapping[str, Any]:
    # As the audit shows it, with what else is hashed, and with JSON as text: its every blank is.
    row = link.row
    return {
        **described(row),
        "partition": row.partition,
        "previous": row.previous,
        "data": row.data,
        "metadata": row.metadata,
    }
