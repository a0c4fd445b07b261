"""The relay's process: every installed context's log, woken by appends."""

import asyncio

from uuid_utils.compat import uuid7

from schemas.catalog import Catalog
from streams.postgres import Databases
from streams.relay import Relay
from streams.settings import Settings
from streams.wake import listen


async def run(settings: Settings, catalog: Catalog) -> None:
    """Relays every installed context's log, until cancelled."""
    databases = Databases("caudal_writer", settings.pool_size)
    owner = f"{settings.instance}-{uuid7()}"
    relays = {str(name): Relay(settings, catalog, databases, name, owner) for name in catalog.contexts}

    def wake(context: str) -> None:
        if context in relays:
            relays[context].wake()

    try:
        async with asyncio.TaskGroup() as tasks:
            for dsn in {settings.log_dsn(name) for name in catalog.contexts}:
                tasks.create_task(listen(dsn, wake))
            for relay in relays.values():
                tasks.create_task(relay.run())
    finally:
        await databases.close()
