"""Whether a broker answers."""

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local.ports import LOOPBACK, listens


async def broker_answers(port: int) -> bool:
    """Returns whether a broker on a loopback port answers with the metadata of its cluster."""
    if not listens(port):
        return False  # checked first, because the client logs each refused connection as an error
    client = AIOKafkaClient(bootstrap_servers=f"{LOOPBACK}:{port}", request_timeout_ms=2000)
    try:
        await client.bootstrap()
    except (KafkaError, OSError):
        return False
    finally:
        await client.close()
    return True
