"""The end of a process that must not outlive what started it.

A cancellation can get lost inside a driver, and a task that continues would keep a log's lease for ever. So a thread, which no
event loop can hold up, ends the process some seconds after it was asked to stop::

    SIGTERM, or the parent is gone ──▶ ordered stop ──▶ exit
                                  └── GRACE_SECONDS ──▶ os._exit
"""

import asyncio
import os
import signal
import threading
import time

import structlog

_log = structlog.get_logger()
GRACE_SECONDS = 10.0
_LOOK_SECONDS = 1.0


def stopping_event() -> asyncio.Event:
    """Returns an event that SIGINT and SIGTERM set, in the place of what they do otherwise."""
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def exit_after_grace(seconds: float = GRACE_SECONDS) -> None:
    """Ends this process with code 1 if it still runs after a grace period. Returns at once."""
    threading.Thread(target=_exit_after, args=(seconds,), daemon=True, name="shutdown").start()


def end_with_parent() -> None:
    """Stops this process, as SIGTERM does, within seconds of the end of the process that started it. Returns at once."""
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True, name="parent-watch").start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    _log.warning("supervisor lost, stopping", pid=parent)
    os.kill(os.getpid(), signal.SIGTERM)
    _exit_after(GRACE_SECONDS)


def _exit_after(seconds: float) -> None:
    time.sleep(seconds)
    _log.error("process not stopped in time, exiting", seconds=seconds)
    os._exit(1)
