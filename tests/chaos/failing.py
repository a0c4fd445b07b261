"""`python -m tests.chaos.failing POINT SERVICE PORT`: one of Caudal's processes that kills itself between two steps.

The points are those at which a process has done something that it could not yet write down.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from deploy.cli import app
from projectors.projector import Projector
from schemas.system import ENGINE
from streams.commands.sender import CommandSender
from streams.log.appending import AppendablePostgresLog
from streams.relay.partitions import Partitions
from streams.relay.relay import Relay

_PASSES = 3
"""The number of times that the process continues; the next time it dies."""

POINTS = {
    "published": ("relay", Partitions, "publish"),  # acknowledged by the broker, the cursor not moved
    "committed": ("projectors", Projector, "handle"),  # the view is committed, the offsets are not
    "sent": ("worker", CommandSender, "send"),  # a policy's commands are sent, its checkpoint not moved
    "appended": ("worker", AppendablePostgresLog, "append"),  # events are in the log, the sender has no answer
}


def dying(step: Callable[..., Any]) -> Callable[..., Any]:
    """The same step, after which the process kills itself once it has been through some."""
    passed = 0

    async def step_and_die(*arguments: Any, **options: Any) -> Any:
        nonlocal passed
        result = await step(*arguments, **options)
        passed += 1
        if passed > _PASSES:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return step_and_die


def only_busy_logs() -> None:
    """Makes the relay leave the engine's own logs alone: a share of those alone, which are idle, publishes nothing."""
    run = Relay.run

    async def run_if_busy(self: Relay) -> None:
        if self._context.system == ENGINE:
            await asyncio.Event().wait()
        await run(self)

    Relay.run = run_if_busy  # type: ignore[method-assign]


if __name__ == "__main__":
    _, point, port = sys.argv
    service, owner, name = POINTS[point]
    if service == "relay":
        only_busy_logs()
    setattr(owner, name, dying(getattr(owner, name)))
    sys.argv = ["caudal", "serve", service, "--port", port]
    app()
