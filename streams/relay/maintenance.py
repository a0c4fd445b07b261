"""Maintenance of the logs that a process relays: drops expired receipts."""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.installation import Installation
from streams.log.appending import AppendablePostgresLog
from streams.telemetry.retrying import every

_log = structlog.get_logger()
_LOOK_SECONDS = 1
_PURGE_SECONDS = 3600


class ReceiptsPurge:
    """Drops the receipts that are older than ``CAUDAL_RECEIPTS_DAYS``."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._looked: dict[ContextName, float] = {}

    async def run(self, owned: Callable[[], Iterable[ContextName]]) -> None:
        """Looks once an hour at each of the logs that ``owned`` returns, until cancelled, through outages."""

        async def purge_due() -> None:
            for context in owned():
                if time.monotonic() - self._looked.get(context, -_PURGE_SECONDS) >= _PURGE_SECONDS:
                    self._looked[context] = time.monotonic()
                    await self._purge(context)

        await every(_LOOK_SECONDS, purge_due, "purge of receipts")

    async def _purge(self, context: ContextName) -> None:
        partitions = self._installation.catalog.context(context).partitions
        log = AppendablePostgresLog(self._installation.log_store(context), context, partitions)
        try:
            for table in await log.purge_receipts(timedelta(days=self._installation.settings.receipts_days)):
                _log.info("receipts dropped", context=str(context), table=table)
        except Unavailable as error:
            _log.warning("purge of receipts postponed", context=str(context), why=error.detail, seconds=_PURGE_SECONDS)
