"""Short commands that are run to their end."""

import asyncio
import sys

import pytest

from deploy.local.process import run_to_end
from schemas.errors import Misconfigured


async def test_a_command_gets_its_input_and_its_output_is_returned() -> None:
    program = "import os, sys; print(sys.stdin.read() + os.environ['X'])"

    assert await run_to_end(sys.executable, "-c", program, given=b"in ", environment={"X": "out"}) == "in out\n"


async def test_a_command_that_fails_is_an_error_with_its_output() -> None:
    with pytest.raises(Misconfigured, match="failed: no such thing"):
        await run_to_end(sys.executable, "-c", "raise SystemExit('no such thing')")


async def test_a_command_is_killed_with_its_caller() -> None:
    task = asyncio.create_task(run_to_end(sys.executable, "-c", "import time; time.sleep(60)"))
    await asyncio.sleep(0.2)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
