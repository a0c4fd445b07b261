"""Verification of a log: recomputes its hash chain and compares it with its ends, its streams and the signed heads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from streams.integrity.hash_chain import BEGIN, Link, content_hash, linked
from streams.integrity.proof_log import Ends, ProofLog
from streams.integrity.signing import SignedHead, Verifier
from streams.log.timelines import Timelines

_BATCH_SIZE = 2000
_MAX_FINDINGS = 100


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A defect of a log."""

    position: int
    """The first position that is affected."""
    what: str


@dataclass(slots=True)
class Verified:
    """The result of the verification of a log."""

    events: int = 0
    head: int = 0
    """The position up to which the log was verified."""
    signed_up_to: int = 0
    """The highest position whose signed head is valid and matches; 0 for none."""
    lost: list[str] = field(default_factory=list)
    """Sentences about positions that the log has lost when it went back, as an operator has accepted."""
    findings: list[Finding] = field(default_factory=list)

    def find(self, position: int, what: str) -> None:
        """Adds a finding; the first hundred are kept."""
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(Finding(position, what))

    @property
    def first(self) -> Finding | None:
        """The finding at the lowest position; ``None`` if there are none."""
        return min(self.findings, default=None)


class Verification:
    """Verifies one log, in constant memory for any length."""

    def __init__(self, log: ProofLog, verifier: Verifier | None, published: Iterable[SignedHead] = ()) -> None:
        """``published`` are signed heads from outside the database; without a ``verifier`` signed heads are not checked."""
        self._log, self._verifier = log, verifier
        self._published = sorted(published, key=lambda head: head.position)
        self._stored: list[SignedHead] = []
        self._stored_up_to = (0, b"")
        self._next: SignedHead | None = None
        """The signed head with the lowest position among those that are not checked yet."""
        self._timelines = Timelines()
        self._result = Verified()

    async def run(self, on_progress: Callable[[int, int], None]) -> Verified:
        """Verifies all events that the log has now; calls ``on_progress`` with the events verified and to verify.

        Raises `Unavailable` if the database gets out of reach.
        """
        begin, self._timelines = await self._log.ends(), await self._log.timelines()
        self._result.lost = [
            f"positions {first} to {last} of an earlier timeline are lost, as accepted at {accepted.isoformat()}"
            for first, last, accepted in self._timelines.lost_positions()
        ]
        await self._advance()
        self._result.head, digest, position = begin.position, BEGIN, 0
        while position < begin.position:
            links = [link for link in await self._log.links(position, _BATCH_SIZE) if link.row.position <= begin.position]
            if not links:
                self._result.find(position + 1, f"missing: the log ends here, but its head is at {begin.position}")
                break
            digest = await self._check(links, position, digest)
            position = links[-1].row.position
            on_progress(position, begin.position)
        if position == begin.position and digest != begin.hash:
            self._result.find(position, "the head's hash differs from that of the last event")
        await self._check_ends(begin)
        await self._check_heads_beyond(begin.last)
        return self._result

    async def _check(self, links: Sequence[Link], position: int, digest: bytes) -> bytes:
        orphans = await self._log.without_predecessor(links)
        versions: dict[str, int] = {}
        for link in links:
            row = link.row
            if row.position != position + 1:
                self._result.find(position + 1, f"missing: the next event is {row.position}")
            elif linked(digest, content_hash(row)) != link.hash:
                self._result.find(row.position, "altered: its hash does not match its content and its predecessor")
            expected = versions.get(row.stream)
            if (row.stream, row.version) in orphans if expected is None else row.version != expected + 1:
                self._result.find(row.position, f"version {row.version} of {row.stream} does not follow the one before it")
            versions[row.stream], digest, position = row.version, link.hash, row.position
            self._result.events += 1
            if self._next is not None and self._next.position <= position:
                await self._check_heads_at(position, digest)
        return digest

    async def _check_heads_at(self, position: int, digest: bytes) -> None:
        assert self._verifier is not None, "without a verifier there is no next head"
        while (head := self._next) is not None and head.position <= position:
            if (why := self._verifier.why_not(head)) is not None:
                self._result.find(head.position, f"the signed head for {head.position} is not valid: {why}")
            elif head.position < position or head.hash != digest:
                since = self._result.signed_up_to + 1
                what = f"rewritten: the hash at {head.position} differs from the one signed at {head.signed_at.isoformat()}"
                if not any(since <= finding.position <= position for finding in self._result.findings):
                    # A chain that was recomputed leaves no other trace. A broken chain shows the place itself.
                    self._result.find(since, f"{what}; up to {since - 1} the log is as signed")
            else:
                self._result.signed_up_to = position
            await self._advance()

    async def _check_heads_beyond(self, last: int) -> None:
        while (head := self._next) is not None:
            assert self._verifier is not None, "without a verifier there is no next head"
            if (why := self._verifier.why_not(head)) is not None:
                self._result.find(head.position, f"the signed head for {head.position} is not valid: {why}")
            elif head.position > (await self._log.head()).position:  # read now: the log may have grown, and been signed again
                signed = f"a head was signed for {head.position} at {head.signed_at.isoformat()}"
                self._result.find(last + 1, f"cut off: {signed}")
            await self._advance()

    async def _check_ends(self, ends: Ends) -> None:
        if ends.last > ends.position:
            self._result.find(ends.position + 1, f"inserted: there are events up to {ends.last}, above the head")
        if ends.versions != ends.position:
            what = f"the streams' versions add up to {ends.versions}, but the log's head is at {ends.position}"
            self._result.find(ends.position, what)
        if not self._result.findings and (mismatch := await self._log.mismatched_stream()) is not None:
            self._result.find(
                mismatch[1],
                f"the row of the stream {mismatch[0]} does not match its first or its last event in the log",
            )

    async def _advance(self) -> None:
        """Moves on to the next signed head, of those in the log's table and those from outside."""
        if self._verifier is None:
            return
        if not self._stored:
            self._stored = list(await self._log.signed_heads(self._stored_up_to, 1000))
            if self._stored:
                self._stored_up_to = self._stored[-1].position, self._stored[-1].signature
        waiting = [heads for heads in (self._stored, self._published) if heads]
        self._next = min(waiting, key=lambda heads: heads[0].position).pop(0) if waiting else None
        if self._next is not None and self._timelines.has_lost_head(self._next.position, self._next.timeline):
            await self._advance()
