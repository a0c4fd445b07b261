"""The relay process: publishes every installed log, woken by appends, signs heads and drops expired receipts."""

import structlog
from uuid_utils.compat import uuid7

from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.installation import Installation, served_contexts
from streams.integrity.head_signer import head_signer
from streams.relay.fair_share import FairShare
from streams.relay.maintenance import ReceiptsPurge
from streams.relay.relay import Relay
from streams.relay.unrelayed import unrelayed
from streams.relay.wakeup import listen
from streams.settings import Settings
from streams.telemetry.duties import Duties

_log = structlog.get_logger()


class RelayService:
    """Relays every log that this process serves and no other process relays."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._databases = Databases("caudal_writer", settings.pool_size)
        installation = Installation(settings, catalog, self._databases)
        served = served_contexts(settings, catalog)
        stores = {name: installation.log_store(name) for name in catalog.contexts if name in served}
        self._dsns = {store.dsn for store in stores.values()}
        owner, share = f"{settings.instance}-{uuid7()}", FairShare(stores)
        self._relays = {name: Relay(installation, name, owner, share) for name in stores}
        self._by_schema = {stores[name].schema: relay for name, relay in self._relays.items()}
        self._purge, self._signer = ReceiptsPurge(installation), head_signer(installation)

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            async with Duties() as tasks:
                for dsn in self._dsns:
                    tasks.create_task(listen(dsn, self._wake))
                for relay in self._relays.values():
                    tasks.create_task(relay.run())
                tasks.create_task(self._purge.run(self._owned))
                if self._signer is None:
                    _log.warning("heads not signed", why="CAUDAL_SIGNING_KEY is not set")
                else:
                    tasks.create_task(self._signer.run(self._owned))
        finally:
            await self._databases.close()

    async def why_not_ready(self) -> str | None:
        """Returns which logs and partitions are not published, as far as this process knows, and why; ``None`` if all are."""
        stopped = [relay.why_stopped for relay in self._relays.values() if relay.why_stopped is not None]
        problems = [relay.problem for relay in self._relays.values() if relay.problem is not None]
        return "; ".join([*stopped, *self._unpublished(), *problems]) or None

    def _unpublished(self) -> list[str]:
        """Returns a sentence for each reason why logs are not published."""
        by_reason: dict[str | None, list[str]] = {}
        for name, relay in self._relays.items():
            if not relay.is_published and relay.why_stopped is None:
                by_reason.setdefault(relay.why_interrupted, []).append(str(name))
        return [
            unrelayed(names, len(self._relays)) + (" yet" if why is None else f" ({why})") for why, names in by_reason.items()
        ]

    def _owned(self) -> list[ContextName]:
        return [name for name, relay in self._relays.items() if relay.is_owner]

    def _wake(self, schema: str) -> None:
        if schema in self._by_schema:
            self._by_schema[schema].wake()
