"""Pages about topics, served as a Git repository for Redpanda Console by the script of the compose file."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.ports import LOOPBACK, free_ports
from tests.conftest import eventually

SCRIPT = Path(__file__).parents[2] / "deploy" / "redpanda_console" / "serve_topic_docs.sh"
HAS_DAEMON = shutil.which("git") is not None and not subprocess.run(
    ("git", "daemon", "--inetd"), stdin=subprocess.DEVNULL, capture_output=True, check=False
).stderr.startswith(b"git: 'daemon'")


@pytest.mark.skipif(not HAS_DAEMON, reason="NO GIT DAEMON: the pages about topics were not served")
async def test_the_pages_are_those_of_the_systems_and_the_prefix_of_the_deployment(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CAUDAL_SYSTEMS": "data_ingestion",
        "CAUDAL_TOPIC_PREFIX": "shop",
    }
    url = f"git://{LOOPBACK}:{port}/topics"

    for _ in range(2):  # a restart writes them again
        process = await asyncio.create_subprocess_exec(
            *("sh", str(SCRIPT), str(tmp_path), LOOPBACK, str(port)), env=environment, start_new_session=True
        )
        try:

            async def served() -> bool:
                asked = await asyncio.create_subprocess_exec(
                    *("git", "ls-remote", "--exit-code", url, "main"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                return await asked.wait() == 0

            await eventually(served, 30, "the repository")
            clone = tmp_path / "clone"
            shutil.rmtree(clone, ignore_errors=True)
            cloning = await asyncio.create_subprocess_exec("git", "clone", "-q", url, str(clone))
            assert await cloning.wait() == 0
        finally:
            os.killpg(process.pid, 15)
            await process.wait()
        names = {path.name for path in clone.glob("*.md")}
        assert {
            f"shop.data_ingestion.ingestion.{kind}.md" for kind in ("events", "commands", "dead-letters", "signed-heads")
        } <= names
        assert not any("clinical_lab" in name for name in names)
