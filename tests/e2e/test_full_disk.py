"""A full disk: the data of a whole stack on a small file system that runs full under load."""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.load import Load
from tests.chaos.run import prove
from tests.conftest import eventually
from tests.stack import ONE_SYSTEM, running_stack

_SIZE = "300m"
_LEFT = 4 * 1024 * 1024


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A folder on a file system of its own; skips the test if this user may not mount one."""
    made = Path(tempfile.mkdtemp(prefix="caudal-disk-"))
    mounted = subprocess.run(("mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", made), capture_output=True, check=False)
    if mounted.returncode:
        made.rmdir()
        pytest.skip(f"THE FULL DISK WAS NOT TRIED: {mounted.stderr.decode().strip()}")
    made.chmod(0o777)
    yield made
    subprocess.run(("umount", made), check=True)
    made.rmdir()


async def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    arguments, ballast = ("--data-dir", str(small_disk / "data")), small_disk / "ballast"
    async with Load(seed=3, pause=0.02) as load:
        async with running_stack(*arguments, environment=ONE_SYSTEM) as stack:
            load.turn_to(stack)
            acknowledged = load.acknowledged
            load.start()
            await asyncio.sleep(3)
            before = len(acknowledged.deliveries)

            _fill(ballast)

            async def rejects() -> bool:
                count = len(acknowledged.deliveries)
                await asyncio.sleep(2)
                return len(acknowledged.deliveries) == count

            await eventually(rejects, 60, "that nothing is accepted any more")
            ballast.unlink()

        # PostgreSQL may have died more often than its supervisor bears: the operator makes room and starts the stack again.
        async with running_stack(*arguments, environment=ONE_SYSTEM) as stack:
            load.turn_to(stack)
            await asyncio.sleep(3)
            await asyncio.wait_for(load.stop(), 60)
            assert len(acknowledged.deliveries) > before > 0
            await prove(stack, acknowledged)


def _fill(path: Path) -> None:
    """Fills the file system but for a few MiB, so that it runs full under load."""
    status = os.statvfs(path.parent)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, status.f_bavail * status.f_frsize - _LEFT)
