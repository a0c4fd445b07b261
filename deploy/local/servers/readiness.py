"""Whether a broker answers, and if not, why."""

from collections.abc import Mapping
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local.ports import LOOPBACK, listens


async def why_broker_is_not_ready(port: int, security: Mapping[str, Any] | None = None) -> str | None:
    """Returns why a broker on a loopback port does not answer with the metadata of its cluster, or ``None`` if it does.

    ``security`` are options of the client for TLS and SASL.
    """
    if not listens(port):
        return "it does not listen"  # checked first, because the client logs each refused connection as an error
    client = AIOKafkaClient(bootstrap_servers=f"{LOOPBACK}:{port}", request_timeout_ms=2000, **(security or {}))
    try:
        await client.bootstrap()
    except (KafkaError, OSError) as error:
        return f"it does not answer: {str(error) or type(error).__name__}"
    finally:
        await client.close()
    return None
