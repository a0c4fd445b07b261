"""nginx in the place of a gateway, with the configuration that the documents give."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from deploy.local.ports import LOOPBACK, free_ports, listens
from tests.conftest import eventually
from tests.stack import RunningStack

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "gateway" / "nginx.conf"


@pytest.fixture
async def nginx(stack: RunningStack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of nginx before the stack's APIs, with a second instance of each that does not run."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("NO NGINX: its configuration was not tried")
    own, *dead = free_ports(3)
    apis = (urlsplit(stack.endpoints[api]).port for api in ("command_api", "query_api"))
    ports = dict(zip(("8080", "5011", "5012", "5001", "5002"), (own, *dead, *apis), strict=True))
    text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"{LOOPBACK}:{ports[found[1]]}", CONFIGURATION.read_text())
    with tempfile.TemporaryDirectory(prefix="caudal-nginx-") as folder:
        (Path(folder) / "nginx.conf").write_text(text)
        shutil.copy(CONFIGURATION.with_name("proxied.conf"), folder)
        process = await asyncio.create_subprocess_exec(
            *(program, "-p", folder, "-c", "nginx.conf", "-g", "daemon off; user root;"), stderr=asyncio.subprocess.PIPE
        )
        try:

            async def is_open() -> bool:
                assert process.returncode is None, "nginx did not start"
                return listens(own)

            await eventually(is_open, 20, "nginx to listen")
            async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{own}", timeout=30) as client:
                yield client
        finally:
            process.terminate()
            await process.wait()


async def test_its_clients_get_both_apis_from_one_origin(nginx: httpx.AsyncClient) -> None:
    name = f"u{uuid4().hex[:12]}"
    user, result = {"username": name, "password": "pass1234", "role": 2}, {"patient": "p", "result": "r"}
    assert (await nginx.get("/health")).json() == {"status": "ok"}
    assert (await nginx.post("/users", json=user)).status_code == 201
    token = (await nginx.post("/login", json={"username": name, "password": "pass1234"})).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    recorded = await nginx.post("/results", json=result, headers=headers)
    assert recorded.status_code == 201

    token_of_write = {"Consistency-Token": recorded.headers["consistency-token"]}
    read = await nginx.get(f"/results/{recorded.json()['id']}", headers={**headers, **token_of_write})
    assert (read.status_code, read.json()["patient"]) == (200, "p")


async def test_an_instance_that_is_gone_is_passed_over(nginx: httpx.AsyncClient) -> None:
    body = {"partner_id": "nginx", "payload": {}}

    answers = [await nginx.post("/ingest", json=body) for _ in range(20)]
    answers += [await nginx.get("/query/all") for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200, 201}
    changed = await nginx.put("/api/v1/partners/nothing", json={"telefono": "1"})
    assert (changed.status_code, changed.json()["codigo"]) == (404, "PARTNER_NO_ENCONTRADO")
