"""Proofs that a signed log contains a stream's events, without the content of any other event.

`docs/verify_proof.py` checks a proof with the public key alone; it shares no code with this module.
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
    """A proof, and where the next one begins."""

    document: Mapping[str, Any]
    next: int | None
    """The version after which the next proof begins; ``None`` if this one reaches the end of what is signed."""


async def proof_of(log: ProofLog, stream: str, after: int = 0, limit: int = MAX_EVENTS) -> Proof:
    """Returns the proof of a stream's events above a version, in segments of the hash chain.

        hash before │ event 7 of the stream │ hash of event 8 │ hash of event 9 │ event 10 of the stream │ signed head

    A segment begins at the first event that it proves and ends in a signed head. It has the events of the stream, and only
    the hashes of other streams' events. Events that no signed head covers yet are left out. The proof stops after some ten
    thousand links, so it has few events if they lie far apart. Raises `NotFound`, and `NotAsSigned` if signed events are
    missing.
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
    for head in await log.signed_heads((position, b""), 10):
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
            raise NotAsSigned(f"the log of {log.context} lacks events below position {head.position}, which is signed")
    return {"hash_before": (before[0][1] if before else BEGIN).hex(), "chain": chain, "head": head.as_json()}


def _event(link: Link) -> Mapping[str, Any]:
    # What is hashed: more fields than the audit shows, and the JSON as text, because its blanks are hashed as well.
    row = link.row
    return {
        **described(row),
        "partition": row.partition,
        "previous": row.previous,
        "data": row.data,
        "metadata": row.metadata,
    }
