"""The collection of a status: a server that accepts connections and answers nothing is not ready."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.console.endpoints import Endpoints
from deploy.operations.installation import OpenInstallation
from deploy.operations.status.collecting import StatusCollector
from deploy.operations.status.installation_status import ProcessStatus
from streams.settings import Settings

MAX_SECONDS = 5.0


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server like a frozen one: the kernel accepts connections for it, and nothing reads them."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("name", ["broker", "postgres", "relay"])
async def test_a_process_that_accepts_connections_and_answers_nothing_is_not_ready(
    name: str, silent: int, tmp_path: Path
) -> None:
    dsn = f"postgresql://admin@127.0.0.1:{silent}/caudal"
    stack = Endpoints("", "", dsn, f"127.0.0.1:{silent}", str(tmp_path), str(tmp_path / "logs"), {name: silent}, pid=1)
    collector = StatusCollector(OpenInstallation(Settings(), lambda: stack))
    began = time.monotonic()
    try:
        (found,) = await collector.processes()
    finally:
        await collector.close()

    assert found == ProcessStatus(name, silent, "does not answer", log=str(tmp_path / "logs" / f"{name}.log"))
    assert time.monotonic() - began < MAX_SECONDS
