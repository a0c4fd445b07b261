"""The relay process: its readiness names the reason why logs are not published."""

import asyncio
import socket
from contextlib import closing

from schemas.catalog import Catalog
from streams.discovery import installed_catalog
from streams.relay.service import RelayService
from streams.settings import Settings
from tests.conftest import eventually


async def test_a_relay_that_cannot_publish_says_why() -> None:
    with closing(socket.socket()) as reserved:  # bound and not listening: no connection can be made
        reserved.bind(("127.0.0.1", 0))
        dsn = f"postgresql://caudal@127.0.0.1:{reserved.getsockname()[1]}/caudal"
        catalog: Catalog = installed_catalog(["data_ingestion"])
        service = RelayService(Settings(write_dsn=dsn), catalog)
        count = len(catalog.contexts)
        assert await service.why_not_ready() == f"none of {count} logs is relayed yet"

        running = asyncio.create_task(service.run())
        try:

            async def says_why() -> bool:
                why = await service.why_not_ready() or ""
                return why.startswith(f"none of {count} logs is relayed (PostgreSQL is out of reach: ")

            await eventually(says_why, 10, "the reason")
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
