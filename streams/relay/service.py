"""The relay's process: publishes every installed context's log, woken by appends, and keeps the logs up."""

import asyncio

import structlog
from uuid_utils.compat import uuid7

from schemas.catalog import Catalog, ContextName
from streams.database.pools import Databases
from streams.database.store import log_schema
from streams.relay.fair_share import Share
from streams.relay.maintenance import ReceiptsPurge, head_signer
from streams.relay.relay import Relay
from streams.relay.wakeup import listen
from streams.settings import Settings

_log = structlog.get_logger()


class Relaying:
    """Relays every installed context's log, as far as no other process does."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._databases = Databases("caudal_writer", settings.pool_size)
        self._dsns = {settings.log_dsn(name) for name in catalog.contexts}
        owner = f"{settings.instance}-{uuid7()}"
        share = Share(catalog.contexts)
        self._relays = {name: Relay(settings, catalog, self._databases, name, owner, share) for name in catalog.contexts}
        self._purge = ReceiptsPurge(settings, catalog, self._databases)
        self._signer = head_signer(settings, catalog, self._databases)
        self._by_schema = {log_schema(name): relay for name, relay in self._relays.items()}

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for dsn in self._dsns:
                    tasks.create_task(listen(dsn, self._wake))
                for relay in self._relays.values():
                    tasks.create_task(relay.run())
                tasks.create_task(self._purge.run(self._owned))
                if self._signer is None:
                    _log.warning("the logs' heads are not signed: CAUDAL_SIGNING_KEY names no key")
                else:
                    tasks.create_task(self._signer.run(self._owned))
        finally:
            await self._databases.close()

    async def why_not_ready(self) -> str | None:
        """Which logs are relayed by nobody yet, as far as this process knows, or ``None``."""
        waiting = [str(name) for name, relay in self._relays.items() if not relay.is_cared_for]
        return f"not relayed yet: {', '.join(waiting)}" if waiting else None

    def _owned(self) -> list[ContextName]:
        return [name for name, relay in self._relays.items() if relay.is_owner]

    def _wake(self, schema: str) -> None:
        if schema in self._by_schema:
            self._by_schema[schema].wake()
