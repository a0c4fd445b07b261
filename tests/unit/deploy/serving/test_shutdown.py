"""The end of a process that must not outlive what started it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from deploy.serving.shutdown import stopping_event

STUBBORN = """
import signal, sys, time
from deploy.serving import shutdown
shutdown.GRACE_SECONDS = 0.5
signal.signal(signal.SIGTERM, signal.SIG_IGN)
shutdown.end_with_parent()
open(sys.argv[1], "w").close()
time.sleep(60)
"""
PARENT = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1], sys.argv[2]]); time.sleep(60)"


def wait_for(what: object, seconds: float = 10) -> None:
    assert callable(what)
    give_up = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_both_signals_set_the_event(number: signal.Signals) -> None:
    stopping = stopping_event()
    assert not stopping.is_set()

    os.kill(os.getpid(), number)

    async with asyncio.timeout(5):
        await stopping.wait()
    for handled in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().remove_signal_handler(handled)


def test_a_process_ends_with_its_parent_even_if_it_ignores_the_signal(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, STUBBORN, str(tmp_path / "started")])
    wait_for((tmp_path / "started").exists)
    (child,) = psutil.Process(parent.pid).children()

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_process_that_does_not_stop_is_ended_after_the_grace_period() -> None:
    program = "from deploy.serving.shutdown import exit_after_grace; import time; exit_after_grace(0.3); time.sleep(60)"

    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=20, capture_output=True).returncode == 1
