"""A broker with the Kafka protocol for one machine, from the ``noida-db`` wheel. It listens on loopback alone."""

import os
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from deploy.local.ports import LOOPBACK
from deploy.local.process import ProcessSpec
from deploy.local.servers.readiness import why_broker_is_not_ready
from schemas.errors import Misconfigured


class EmbeddedBroker:
    """A broker with its data in a folder. It holds everything in memory and saves changes to the folder."""

    def __init__(self, data: Path, log: Path, port: int) -> None:
        self._data, self._log, self._port = data, log, port

    @property
    def bootstrap(self) -> str:
        """``host:port`` for Kafka clients."""
        return f"{LOOPBACK}:{self._port}"

    async def prepare(self) -> None:
        """Does nothing: the broker prepares its folder itself."""

    def process(self) -> ProcessSpec:
        """Returns the broker's process. On glibc before 2.39 the loader logs a harmless warning of a missing version."""
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
        command, why_not_ready = (_binary(), "start", *options), partial(why_broker_is_not_ready, self._port)
        return ProcessSpec(name="broker", command=command, log=self._log, why_not_ready=why_not_ready)


def _binary() -> str:
    package = find_spec("noida_db")
    if package is None or not package.submodule_search_locations:
        raise Misconfigured("the package noida-db is not installed: run pip install 'caudal[local]'")
    binary = Path(package.submodule_search_locations[0], "noida-db")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return str(binary)
