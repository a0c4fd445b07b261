"""The same processes on PostgreSQL and Redpanda containers, where a container engine answers."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from testcontainers.community.kafka import RedpandaContainer
from testcontainers.community.postgres import PostgresContainer

from deploy.local.ports import free_ports
from deploy.local.process import ProcessSpec
from deploy.local.stack import SERVICES
from deploy.local.supervisor import Supervised
from tests.brokers import engine_answers
from tests.conftest import eventually
from tests.stack import caudal

pytestmark = pytest.mark.skipif(
    not engine_answers(), reason="NO CONTAINER ENGINE ANSWERS: the tests on real PostgreSQL and Redpanda containers did not run"
)


@pytest.fixture
def container_environment() -> Iterator[dict[str, str]]:
    with PostgresContainer("postgres:18") as postgres, RedpandaContainer() as redpanda:
        yield {
            "CAUDAL_WRITE_DSN": postgres.get_connection_url(driver=None),
            "CAUDAL_BROKERS": redpanda.get_bootstrap_server(),
            "CAUDAL_INSTANCE": "containers",
        }


@pytest.mark.timeout(300)
async def test_a_delivery_on_containers(container_environment: dict[str, str], tmp_path: Path) -> None:
    code, _, err = await caudal("migrate", environment=container_environment)
    assert code == 0, err
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))

    def process(name: str) -> Supervised:
        async def why_not_ready() -> str | None:
            try:
                async with httpx.AsyncClient(verify=False) as client:
                    answer = await client.get(f"http://127.0.0.1:{ports[name]}/readyz")
                    return None if answer.status_code == 200 else answer.text
            except httpx.HTTPError as error:
                return repr(error)

        command = (sys.executable, "-m", "deploy.cli", "serve", name, "--port", str(ports[name]))
        log = tmp_path / f"{name}.log"
        spec = ProcessSpec(
            name=name,
            command=command,
            log=log,
            why_not_ready=why_not_ready,
            environment=container_environment | {"CAUDAL_PROFILE": "seed"},
        )
        return Supervised(spec)

    processes = [process(name) for name in SERVICES]
    try:
        await asyncio.gather(*(supervised.start() for supervised in processes))
        async with httpx.AsyncClient(verify=False, timeout=30) as client:
            body = {"partner_id": "partner123", "payload": {"name": "Example Data", "age": 30}}
            answer = await client.post(f"http://127.0.0.1:{ports['command-api']}/ingest", json=body)
            assert answer.status_code == 201

            async def processed() -> bool:
                found = await client.get(f"http://127.0.0.1:{ports['query-api']}/query/{answer.json()['data_id']}")
                return found.status_code == 200 and found.json()["processing_status"] == "processed"

            await eventually(processed, 60)
    finally:
        await asyncio.gather(*(supervised.stop() for supervised in processes))
