"""Listens for appends: PostgreSQL's notifications, which spare the relay its polling interval."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg

CHANNEL = "caudal_appended"
_RECONNECT_SECONDS = 1


async def listen(dsn: str, on_append: Callable[[str], None]) -> None:
    """Calls ``on_append`` with a log's schema whenever its log has grown; reconnects by itself, runs until cancelled.

    Notifications may get lost while there is no connection: whoever listens must look for itself now and then.
    """
    while True:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(dsn, timeout=5)
            gone = asyncio.Event()
            connection.add_termination_listener(lambda _, gone=gone: gone.set())
            await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, schema: on_append(schema))
            try:
                await gone.wait()
            finally:
                connection.terminate()
        await asyncio.sleep(_RECONNECT_SECONDS)
