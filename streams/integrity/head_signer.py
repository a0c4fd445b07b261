"""The signer of the logs' heads: extends the signatures of a log as it grows, and rejects a log that was altered below them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from prometheus_client import Counter, Gauge

from schemas.errors import NotAsSigned, Unavailable
from schemas.system import ContextName
from streams.installation import Installation
from streams.integrity.hash_chain import BEGIN, Link, content_hash, linked
from streams.integrity.proof_log import ProofLog
from streams.integrity.signed_heads_topic import SignedHeadsTopic, published_heads
from streams.integrity.signing import SEGMENT, SignedHead, Signer, Verifier, read_public_key
from streams.log.timelines import Timelines
from streams.telemetry.retrying import every

_log = structlog.get_logger()
_MAX_STORED_HEADS = 1000
_BATCH_SIZE = 5 * SEGMENT

REJECTED = Counter(
    "caudal_signing_rejected", "Times that a log was not signed because it contradicts a signed head.", ["context"]
)
SIGNED = Gauge("caudal_signed_time_seconds", "When the log was last found signed up to its end, since 1970.", ["context"])


class HeadSigner:
    """Signs the heads of logs, and one position in every `SEGMENT` below, into the log's table and onto its topic.

    It signs only a log that continues the newest head that was signed before, as far as this process, the table or the topic
    knows it: a log that was altered below that head is not signed again.
    """

    def __init__(self, installation: Installation, signer: Signer, retired: Iterable[Ed25519PublicKey] = ()) -> None:
        """``retired`` are the public keys that signed before: heads that they signed are continued as well."""
        self._installation, self._signer = installation, signer
        self._verifier = Verifier.of(signer.public, *retired)
        self._topic = SignedHeadsTopic(installation.settings, installation.catalog)
        self._newest: dict[ContextName, SignedHead | None] = {}

    async def run(self, owned: Callable[[], Iterable[ContextName]]) -> None:
        """Signs the logs that ``owned`` returns, at the interval of the settings, until cancelled, through outages."""

        async def sign_all() -> None:
            for context in owned():
                await self._try_to_sign(context)

        try:
            await every(self._installation.settings.signing_interval_seconds, sign_all, "signing")
        finally:
            await self.close()

    async def close(self) -> None:
        """Closes the connection to the broker."""
        await self._topic.close()

    async def sign(self, context: ContextName) -> int:
        """Signs the events since the newest signed head and returns the position of the new one.

        Raises `Unavailable`, and `NotAsSigned` if the log does not continue the newest signed head.
        """
        log = ProofLog(self._installation.log_store(context), context)
        if context not in self._newest:
            self._newest[context] = await self._newest_known(log)
        newest = self._newest[context]
        position, digest = (0, BEGIN) if newest is None else (newest.position, newest.hash)
        end, timelines = (await log.head()).position, await log.timelines()
        if newest is not None and timelines.has_lost_head(newest.position, newest.timeline):
            newest = self._newest[context] = await self._newest_known(log)
            position, digest = (0, BEGIN) if newest is None else (newest.position, newest.hash)
        if end < position or (position and await log.hashes([position]) != [(position, digest)]):
            raise NotAsSigned(f"the log of {context} does not hold the event that was signed for position {position}")
        while position < end:
            links = await log.links(position, min(_BATCH_SIZE, end - position))
            heads = self._heads(log.context, links, position, digest, end, timelines.accepted)
            for head in heads:
                await log.add_signed_head(head)
            await self._topic.publish(heads[-1])
            self._newest[context] = heads[-1]
            position, digest = heads[-1].position, heads[-1].hash
        SIGNED.labels(str(context)).set_to_current_time()
        return position

    def _heads(
        self, context: ContextName, links: Sequence[Link], position: int, digest: bytes, end: int, timelines: Timelines
    ) -> Sequence[SignedHead]:
        """Returns signed heads of links, which must continue the chain from a position and its hash."""
        heads: list[SignedHead] = []
        for link in links:
            position, digest = position + 1, linked(digest, content_hash(link.row))
            if (link.row.position, link.hash) != (position, digest):
                raise NotAsSigned(f"the chain of the log of {context} is broken at position {position}")
            # A read of large events may end before the segment does: a head at its end makes progress.
            if position % SEGMENT == 0 or position == end or (link is links[-1] and not heads):
                heads.append(self._signer.sign(context, position, digest, timelines.of(position)))
        if not heads:
            raise NotAsSigned(f"the log of {context} ends at position {position}, but its head is at {end}")
        return heads

    async def _try_to_sign(self, context: ContextName) -> None:
        try:
            await self.sign(context)
        except Unavailable as error:
            _log.warning("signing postponed", context=str(context), why=error.detail)
        except NotAsSigned as error:
            REJECTED.labels(str(context)).inc()
            _log.error("signing rejected", context=str(context), why=error.detail, next="run `caudal verify log`")
        except Exception:
            _log.exception("signing failed", context=str(context))

    async def _newest_known(self, log: ProofLog) -> SignedHead | None:
        """Returns the newest head, in the table or on the topic, whose signature is valid; ``None`` if there are no heads.

        Raises `Unavailable` if the topic cannot be read, and `NotAsSigned` if there are heads and none is valid: to begin
        anew would sign any altered log.
        """
        timelines = await log.timelines()
        found = [
            *await log.newest_signed_heads(_MAX_STORED_HEADS),
            *await published_heads(self._installation.settings, self._installation.catalog, log.context),
        ]
        known = [head for head in found if not timelines.has_lost_head(head.position, head.timeline)]
        valid = [head for head in known if self._verifier.why_not(head) is None]
        if known and not valid:
            raise NotAsSigned(
                f"the log of {log.context} was signed with another key: add its public key to CAUDAL_RETIRED_SIGNING_KEYS"
            )
        return max(valid, key=lambda head: head.position, default=None)


def head_signer(installation: Installation) -> HeadSigner | None:
    """Returns a signer with the key of the settings, or ``None`` if they name none; raises `Misconfigured` for a bad key."""
    settings = installation.settings
    if settings.signing_key is None:
        return None
    retired = [read_public_key(path) for path in settings.retired_signing_keys]
    return HeadSigner(installation, Signer(Path(settings.signing_key)), retired)
