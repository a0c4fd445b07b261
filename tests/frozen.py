"""Processes that are frozen (SIGSTOP) and continue (SIGCONT)."""

import os
import signal
import time

import psutil

SECONDS = 10


def freeze(pid: int) -> None:
    """Stops a process, and waits until none of its threads runs: on a busy machine the signal arrives late, and until then
    the process answers.

    Fails if it was not stopped within ten seconds.
    """
    os.kill(pid, signal.SIGSTOP)
    ends = time.monotonic() + SECONDS
    while not _is_frozen(pid):
        assert time.monotonic() < ends, f"process {pid} has not stopped"
        time.sleep(0.001)


def unfreeze(pid: int) -> None:
    os.kill(pid, signal.SIGCONT)


def _is_frozen(pid: int) -> bool:
    process = psutil.Process(pid)
    if not psutil.LINUX:  # elsewhere a thread's number is none of a process
        return process.status() == psutil.STATUS_STOPPED
    return all(psutil.Process(thread.id).status() == psutil.STATUS_STOPPED for thread in process.threads())
