"""A Kafka-protocol broker for one machine, from the ``noida-db`` wheel, listening on loopback alone."""

import os
from importlib.util import find_spec
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from deploy.local.ports import LOOPBACK, listens
from deploy.local.process import ProcessSpec
from schemas.errors import Misconfigured


class EmbeddedBroker:
    """A broker with its data in a folder. It keeps what it holds in memory and saves it as it changes."""

    def __init__(self, data: Path, log: Path, port: int) -> None:
        self._data, self._log, self._port = data, log, port

    @property
    def bootstrap(self) -> str:
        """``host:port`` for Kafka clients."""
        return f"{LOOPBACK}:{self._port}"

    def process(self) -> ProcessSpec:
        """The broker's process. On glibc before 2.39 its loader warns of a missing version, without consequence."""
        self._data.mkdir(parents=True, exist_ok=True)
        options = (
            "--only",
            "kafka",
            "--host",
            LOOPBACK,
            "--kafka-port",
            str(self._port),
            "--data-dir",
            str(self._data),
        )
        return ProcessSpec(name="broker", command=(_binary(), "start", *options), log=self._log, ready=self._ready)

    async def _ready(self) -> bool:
        if not listens(self._port):
            return False  # asked first, because the client logs each refused connection as an error
        client = AIOKafkaClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2000)
        try:
            await client.bootstrap()
        except (KafkaError, OSError):
            return False
        finally:
            await client.close()
        return True


def _binary() -> str:
    package = find_spec("noida_db")
    if package is None or not package.submodule_search_locations:
        raise Misconfigured("the package noida-db is not installed: pip install 'caudal[local]'")
    binary = Path(package.submodule_search_locations[0], "noida-db")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return str(binary)
