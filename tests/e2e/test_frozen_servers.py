"""A broker and a PostgreSQL that are frozen keep no process from its end: none outlives what started it."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from deploy.serving.shutdown import GRACE_SECONDS
from tests.conftest import eventually
from tests.frozen import freeze, unfreeze
from tests.stack import ONE_SYSTEM, RunningStack, running_stack

PROCESSES = ("relay", "worker", "projectors", "command-api", "query-api")
MARGIN_SECONDS = 5.0


@contextmanager
def frozen(stack: RunningStack, *servers: str) -> Iterator[None]:
    """Freezes the supervisor, so that it starts nothing again, and servers with all their processes."""
    found = [psutil.Process(stack.pid_of(name)) for name in servers]
    pids = [stack.process.pid, *(process.pid for one in found for process in (one, *one.children(recursive=True)))]
    for pid in pids:
        freeze(pid)
    try:
        yield
    finally:
        for pid in reversed(pids):
            unfreeze(pid)


def has_ended(process: psutil.Process) -> bool:
    """Whether it has ended; its parent, which is stopped, has not noticed yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def test_no_process_is_ready_while_postgres_is_frozen() -> None:
    async with running_stack(environment=ONE_SYSTEM) as stack:

        async def relay_notices() -> bool:
            return await stack.why_not_ready("relay") is not None

        with frozen(stack, "postgres"):
            for name in ("worker", "projectors", "command-api", "query-api"):
                assert "has not answered" in str(await stack.why_not_ready(name)), name
            await eventually(relay_notices, what="a relay that is not ready")


@pytest.mark.parametrize("servers", [("postgres",), ("postgres", "broker")])
async def test_every_process_ends_within_seconds_of_the_signal_though_servers_hang(servers: tuple[str, ...]) -> None:
    async with running_stack(environment=ONE_SYSTEM) as stack:
        for n in range(20):
            body = {"partner_id": "p", "payload": {"n": n}}
            assert (await stack.commands.post("/ingest", json=body)).status_code == 201  # there is something to relay
        processes = [psutil.Process(stack.pid_of(name)) for name in PROCESSES]

        with frozen(stack, *servers):
            for process in processes:
                process.terminate()

            async def all_have_ended() -> bool:
                return all(map(has_ended, processes))

            await eventually(all_have_ended, GRACE_SECONDS + MARGIN_SECONDS, "the end of every process")
