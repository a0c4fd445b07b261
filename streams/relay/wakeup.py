"""Wake-ups: PostgreSQL's notifications of appends, which save the relay its polling interval."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg

from streams.database.errors import OUT_OF_REACH

CHANNEL = "caudal_appended"
_CONNECT_SECONDS = 5
_RECONNECT_SECONDS = 1


async def listen(dsn: str, on_append: Callable[[str], None]) -> None:
    """Calls ``on_append`` with a log's schema whenever that log has grown; reconnects by itself, until cancelled.

    Notifications are lost while there is no connection: the caller must also poll.
    """
    while True:
        with suppress(*OUT_OF_REACH, asyncpg.PostgresError):
            connection = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
            closed = asyncio.Event()
            connection.add_termination_listener(lambda _, closed=closed: closed.set())
            try:
                await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, schema: on_append(schema))
                await closed.wait()
            finally:
                connection.terminate()
        await asyncio.sleep(_RECONNECT_SECONDS)
