"""Upkeep of the logs that a process relays: signs their heads, drops the receipts that have expired."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from prometheus_client import Counter

from schemas.catalog import Catalog, ContextName
from schemas.errors import NotAsSigned, Unavailable
from streams.database.pools import Databases
from streams.database.store import Store
from streams.integrity.hash_chain import BEGIN, content_hash, linked
from streams.integrity.proof_log import ProofLog
from streams.integrity.signed_heads_topic import SignedHeadsTopic, published_heads
from streams.integrity.signing import SEGMENT, SignedHead, Signer, Verifier, read_public_key
from streams.log.appending import AppendablePostgresLog
from streams.settings import Settings

_log = structlog.get_logger()
_MAX_BATCH_SIZE = 1000
_BATCH_SIZE = 5 * SEGMENT

REFUSED = Counter("caudal_signing_rejected", "Times that a log did not lead on from what was signed before.", ["context"])


class HeadSigner:
    """Signs the heads of logs, and a position in every `SEGMENT` below, into the log's table and onto its topic.

    It signs only what leads on from the newest head that it has signed before, as far as it, the table or the topic knows:
    a log that was altered below it is not signed again.
    """

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        databases: Databases,
        signer: Signer,
        retired: Iterable[Ed25519PublicKey] = (),
    ) -> None:
        """``retired`` are the public keys of those who signed before: what they signed is led on from as well."""
        self._settings, self._catalog, self._databases, self._signer = settings, catalog, databases, signer
        self._verifier = Verifier.of(signer.public, *retired)
        self._topic = SignedHeadsTopic(settings, catalog)
        self._newest: dict[ContextName, SignedHead | None] = {}

    async def run(self, owned: Callable[[], Iterable[ContextName]]) -> None:
        """Signs at the interval of the settings until cancelled, through outages."""
        try:
            while True:
                await asyncio.sleep(self._settings.sign_seconds)
                for context in owned():
                    try:
                        await self.sign(context)
                    except Unavailable as error:
                        _log.warning("signing a head again soon", context=str(context), why=error.detail)
                    except NotAsSigned as error:
                        REFUSED.labels(str(context)).inc()
                        _log.error("nothing is signed: run `caudal verify log`", context=str(context), why=error.detail)
                    except Exception:
                        _log.exception("signing a head failed", context=str(context))
        finally:
            await self.close()

    async def close(self) -> None:
        """Lets go of the broker."""
        await self._topic.close()

    async def sign(self, context: ContextName) -> int:
        """Signs what has come since the last time and returns the position up to which that is.

        Raises `Unavailable`, and `NotAsSigned` where the log does not lead on from what was signed before.
        """
        log = ProofLog(Store.of_log(self._databases, self._settings.log_dsn(context), context), context)
        if context not in self._newest:
            self._newest[context] = await self._newest_known(log)
        newest = self._newest[context]
        position, digest = (0, BEGIN) if newest is None else (newest.position, newest.hash)
        end = (await log.head()).position
        if end < position or (position and await log.hashes([position]) != [(position, digest)]):
            raise NotAsSigned(f"the log of {context} does not hold what was signed for position {position}")
        while position < end:
            heads = []
            for link in await log.links(position, min(_BATCH_SIZE, end - position)):
                position, digest = position + 1, linked(digest, content_hash(link.row))
                if (link.row.position, link.hash) != (position, digest):
                    raise NotAsSigned(f"the log of {context} is broken at position {position}")
                if position % SEGMENT == 0 or position == end:
                    heads.append(self._signer.sign(context, position, digest))
            if not heads:
                raise NotAsSigned(f"the log of {context} ends at position {position}, its head stands at {end}")
            for head in heads:
                await log.add_signed_head(head)
            await self._topic.publish(heads[-1])
            self._newest[context] = heads[-1]
        return position

    async def _newest_known(self, log: ProofLog) -> SignedHead | None:
        """The newest head in the table and on the topic that can be believed.

        Raises `Unavailable` where the topic cannot be read, and `NotAsSigned` where there are heads and none is believed: to
        begin anew then would sign whatever the log has become.
        """
        known = [
            *await log.newest_signed_heads(_MAX_BATCH_SIZE),
            *await published_heads(self._settings, self._catalog, log.context),
        ]
        believed = [head for head in known if self._verifier.why_not(head) is None]
        if known and not believed:
            raise NotAsSigned(
                f"the log of {log.context} was signed with another key: name its public key in CAUDAL_RETIRED_KEYS"
            )
        return max(believed, key=lambda head: head.position, default=None)


class ReceiptsPurge:
    """Drops the receipts of logs that are older than the settings keep them."""

    _EVERY_SECONDS = 3600

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self._settings, self._catalog, self._databases = settings, catalog, databases

    async def run(self, owned: Callable[[], Iterable[ContextName]]) -> None:
        """Looks once an hour until cancelled, through outages."""
        looked: dict[ContextName, float] = {}
        while True:
            await asyncio.sleep(1)
            for context in owned():
                if time.monotonic() - looked.get(context, -self._EVERY_SECONDS) >= self._EVERY_SECONDS:
                    looked[context] = time.monotonic()
                    await self._purge(context)

    async def _purge(self, context: ContextName) -> None:
        partitions = self._catalog.context(context).partitions
        store = Store.of_log(self._databases, self._settings.log_dsn(context), context)
        log = AppendablePostgresLog(store, context, partitions)
        try:
            for table in await log.purge_receipts(timedelta(days=self._settings.receipts_days)):
                _log.info("dropped expired receipts", context=str(context), table=table)
        except Unavailable as error:
            _log.warning("expired receipts stay for another hour", context=str(context), why=error.detail)


def head_signer(settings: Settings, catalog: Catalog, databases: Databases) -> HeadSigner | None:
    """Who signs with the key that the settings name, if they do; raises `Misconfigured` where a key cannot be used."""
    if settings.signing_key is None:
        return None
    retired = [read_public_key(path) for path in settings.retired_keys]
    return HeadSigner(settings, catalog, databases, Signer(Path(settings.signing_key)), retired)
