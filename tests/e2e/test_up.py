"""`caudal up` as a person sees it: one screen, whose calls can be pasted, and tokens only if they are asked for."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from tests.conftest import eventually
from tests.stack import ONE_SYSTEM, START_SECONDS, RunningStack, caudal, left_over, running_stack


@pytest.fixture(scope="module")
async def said() -> AsyncIterator[str]:
    """The output of `caudal up` with tokens at 80 columns when it is ready; asserts that it stops without an error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "up", "--ephemeral", "--ports", "auto", "--tokens"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "80", **ONE_SYSTEM},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            output = (await process.stdout.readuntil(b"Ctrl-C stops everything.")).decode()
        yield output
    finally:
        process.terminate()
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, err.decode()
    assert "Stopping" in err.decode()


async def test_the_first_screen_fits_below_the_tokens_and_its_example_can_be_pasted(said: str) -> None:
    tokens, _, screen = said.partition("Caudal is ready")
    lines = screen.splitlines()
    calls = re.findall(r"^curl (?:.*\\\n)*.*$", screen, re.M)

    assert len(lines) <= 23
    assert max(map(len, lines)) <= 100, "a folder of a test has a long name"
    assert ("eyJ" in tokens, "eyJ" in screen) == (True, False)
    assert "clinical_lab" not in screen, "it does not run"
    command, query = calls
    assert re.search(r'"data_id":"[0-9a-f-]{36}"', await asyncio.to_thread(pasted, command))

    async def shown() -> bool:
        return '"ingestion_status":"ingested"' in await asyncio.to_thread(pasted, query)

    await eventually(shown)


async def test_the_tokens_that_it_prints_on_request_are_good(said: str) -> None:
    query_api = re.search(r"^Query API +(http://\S+)/docs", said, re.M)
    tokens = dict(re.findall(r"^([A-Z_]+)=(\S+)$", said, re.M))
    assert query_api is not None
    assert {"AUDITOR", "OPERATOR", "PRIVACY_OFFICER"} <= tokens.keys()
    async with httpx.AsyncClient(base_url=query_api[1], verify=False) as client:
        for role in ("OPERATOR", "AUDITOR"):
            headers = {"Authorization": f"Bearer {tokens[role]}"}
            assert (await client.get("/sagas", headers=headers)).status_code == 200
        assert (await client.get("/sagas")).status_code == 401


async def test_migrate_and_status_find_the_running_stack(stack: RunningStack) -> None:
    code, out, err = await stack.caudal("migrate")
    assert (code, out) == (0, "Nothing to do.\n"), err

    code, out, err = await stack.caudal("subscriptions", "list", "--json")
    records = next(one for one in orjson.loads(out)["rows"] if one["name"] == "data_ingestion.records")
    assert (code, records["kind"], records["dead_letters"], records["state"]) == (0, "projection", 0, "active"), err
    assert records["follows"] == [f"data_ingestion.{name}" for name in ("ingestion", "processing", "validation")]

    screen, terminal = os.openpty()
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", "status", "--watch", "--data-dir", str(stack.data_dir)),
        stdout=terminal,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "40"},
    )
    shown = b""
    async with asyncio.timeout(30):
        while shown.count(b"command-api") < 3:  # it refreshes
            shown += await asyncio.to_thread(os.read, screen, 65_536)
    watching.send_signal(signal.SIGINT)
    _, err_ = await asyncio.wait_for(watching.communicate(), 10)
    assert watching.returncode in (0, 1), err_.decode()
    assert "Traceback" not in err_.decode()
    os.close(terminal)
    os.close(screen)


def mode_of(path: Path) -> int:
    """The permissions of a file; none for one that a server has renamed meanwhile."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


async def test_it_is_closed_to_other_users(stack: RunningStack) -> None:
    readable = [path for path in (stack.data_dir, *stack.data_dir.rglob("*")) if mode_of(path) & 0o077]
    assert not readable, "the group and others read nothing"
    assert {"pgpass", "stack.json", "lock", "logs", "keys"} <= {path.name for path in stack.data_dir.iterdir()}

    family = psutil.Process(stack.process.pid).children(recursive=True)
    listening = [found for one in family for found in one.net_connections() if found.status == psutil.CONN_LISTEN]
    assert len({found.laddr.port for found in listening}) >= len(stack.endpoints["ports"])
    assert {found.laddr.ip for found in listening} == {"127.0.0.1"}

    sessions = await stack.fetch("select distinct usename as login from pg_stat_activity where datname = 'caudal'")
    assert {row["login"] for row in sessions} == {"admin", "command-api", "worker", "relay", "projectors", "query-api"}


async def test_nothing_outlives_a_supervisor_that_is_killed() -> None:
    async with running_stack(environment=ONE_SYSTEM) as stack:
        family = psutil.Process(stack.process.pid).children(recursive=True)
        assert (await stack.caudal("status", "--json"))[0] == 0

        stack.process.kill()
        await stack.process.wait()

        def runs(process: psutil.Process) -> bool:
            try:
                return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
            except psutil.NoSuchProcess:  # it ended between the two questions
                return False

        async def is_gone() -> bool:
            return not any(map(runs, family))

        await eventually(is_gone, 20, "the end of every process")
        assert not left_over(family)
        assert (await stack.caudal("status"))[0] == 2
        shutil.rmtree(stack.data_dir)


async def test_a_data_folder_that_cannot_be_used_is_said_plainly(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    for folder in (file, file / "below"):
        code, _, err = await caudal("up", "--data-dir", str(folder), "--ports", "auto")

        assert (code, "Traceback" in err) == (1, False), err
        assert f"the data folder {folder} cannot be used" in err
        assert "--data-dir" in err


def pasted(call: str) -> str:
    """Returns the output of a command in a shell."""
    return subprocess.run(["sh", "-ec", call], check=True, capture_output=True, text=True).stdout
