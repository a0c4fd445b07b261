"""Upkeep of the logs that a process relays: signs their heads, drops the receipts that have expired."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import structlog

from schemas.catalog import Catalog, ContextName
from schemas.errors import Unavailable
from streams.append import AppendablePostgresLog
from streams.postgres import Databases
from streams.proof_log import ProofLog
from streams.settings import Settings
from streams.signed_heads_topic import SignedHeadsTopic
from streams.signing import SEGMENT, Signer

_log = structlog.get_logger()
_MOST_AT_ONCE = 1000


class HeadSigner:
    """Signs the heads of logs, and a position in every `SEGMENT` below, into the log's table and onto its topic."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, signer: Signer) -> None:
        self._settings, self._databases, self._signer = settings, databases, signer
        self._topic = SignedHeadsTopic(settings, catalog)

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
        finally:
            await self.close()

    async def close(self) -> None:
        """Lets go of the broker."""
        await self._topic.close()

    async def sign(self, context: ContextName) -> int:
        """Signs what has come since the last time and returns the position up to which that is. Raises `Unavailable`."""
        log = ProofLog(self._databases, self._settings.log_dsn(context), context)
        signed, end = await log.signed_upto(), (await log.head()).position
        if end < signed:
            _log.error(
                "the log is shorter than what was signed: `caudal verify log`", context=str(context), end=end, signed=signed
            )
        while signed < end:
            positions = [*range(signed - signed % SEGMENT + SEGMENT, end, SEGMENT), end][:_MOST_AT_ONCE]
            hashes = await log.hashes(positions)
            if [position for position, _ in hashes] != positions:
                _log.error("the log lacks events below its head: `caudal verify log`", context=str(context), end=end)
                break
            heads = [self._signer.sign(context, position, digest) for position, digest in hashes]
            for head in heads:
                await log.add_signed_head(head)
            await self._topic.publish(heads[-1])
            signed = positions[-1]
        return signed


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
        log = AppendablePostgresLog(self._databases, self._settings.log_dsn(context), context, partitions)
        try:
            for table in await log.purge_receipts(timedelta(days=self._settings.receipts_days)):
                _log.info("dropped expired receipts", context=str(context), table=table)
        except Unavailable as error:
            _log.warning("expired receipts stay for another hour", context=str(context), why=error.detail)


def signer_of(settings: Settings) -> Signer | None:
    """The signer that the settings name; raises `Misconfigured` where its key cannot be used."""
    return None if settings.signing_key is None else Signer(Path(settings.signing_key))
