"""Whether a broker or PostgreSQL answers, and if not, why: within a time limit, because a frozen server accepts connections."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local.ports import LOOPBACK, listens
from streams.database.errors import message_of

LIMIT_SECONDS = 2.0
DOES_NOT_ANSWER = "it does not answer"
"""The reason begins with these words if a server accepts connections and answers nothing that helps."""


async def why_broker_is_not_ready(port: int, security: Mapping[str, Any] | None = None) -> str | None:
    """Returns why a broker on a loopback port does not answer with the metadata of its cluster, or ``None`` if it does.

    ``security`` are options of the client for TLS and SASL.
    """
    if not listens(port):
        return "it does not listen"  # checked first, because the client logs each refused connection as an error
    client = AIOKafkaClient(
        bootstrap_servers=f"{LOOPBACK}:{port}", request_timeout_ms=int(LIMIT_SECONDS * 1000), **(security or {})
    )
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await client.bootstrap()
    except (KafkaError, OSError) as error:
        return f"{DOES_NOT_ANSWER}: {str(error) or type(error).__name__}"
    finally:
        await client.close()
    return None


async def why_postgres_is_not_ready(dsn: str) -> str | None:
    """Returns why PostgreSQL does not answer a statement, or ``None`` if it does."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            connection = await asyncpg.connect(dsn, timeout=LIMIT_SECONDS)
            try:
                await connection.execute("select")
            finally:
                connection.terminate()
    except asyncpg.PostgresError as error:
        return message_of(error)
    except (OSError, asyncpg.InterfaceError) as error:
        return f"{DOES_NOT_ANSWER}: {str(error) or type(error).__name__}"
    return None
