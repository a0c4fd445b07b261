"""Failovers to the replica of a stack's PostgreSQL: planned, after a crash, and after one that loses commits."""

import asyncio

import asyncpg

from streams.discovery import installed_catalog
from tests.chaos.load import Load
from tests.chaos.stack import ChaosStack
from tests.conftest import eventually

_LOSS_SECONDS = 3.0
"""How long commits do not reach the replica."""
_RECOVERY_SECONDS = 120


async def switch_over(stack: ChaosStack) -> None:
    """A planned failover: the primary sends everything to the replica before it ends."""
    await _is_replicated(stack)
    await stack.leave_postgres()
    await stack.cluster.primary.supervised.stop()
    await _take_over(stack)


async def fail_over(stack: ChaosStack) -> None:
    """The primary is killed while commits wait for the replica: nothing that was acknowledged is lost."""
    await _is_replicated(stack)
    stack.cluster.wait_for_replica(True)
    await asyncio.sleep(2)  # until every session obeys
    await stack.leave_postgres()
    await stack.cluster.kill_primary()
    await stack.cluster.primary.supervised.stop()
    await _take_over(stack)


async def lose_commits(stack: ChaosStack, load: Load) -> set[str]:
    """The primary is killed after commits that did not reach the replica; what that lost is recovered as an operator does it.

    Clients that cannot know whether their commands are lost send them again under the same keys. Returns the logs that were
    found to have lost events which were published.
    """
    cluster = stack.cluster
    load.note_what_may_be_lost()
    await _is_replicated(stack)  # what was acknowledged before is safe, what is acknowledged from now on has been noted
    cluster.end_replication()
    await asyncio.sleep(_LOSS_SECONDS)
    await stack.leave_postgres()
    await cluster.kill_primary()
    await cluster.primary.supervised.stop()
    await asyncio.sleep(1)  # until every answer has arrived that was on its way
    load.note_loss()
    await _take_over(stack)
    lost = await _recovered(stack)
    (row,) = await stack.fetch(
        "select coalesce(max(version), 0) as newest from data_ingestion__validation.events where stream = 'rulebook-hot'"
    )
    await load.send_again(row["newest"])
    return lost


async def _is_replicated(stack: ChaosStack) -> None:
    """Waits until the replica has what was committed so far: both servers may have died just now."""

    async def is_replicated() -> bool:
        try:
            return await stack.cluster.is_streaming() and await stack.cluster.replayed()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    await eventually(is_replicated, 60, "the replica")


async def _take_over(stack: ChaosStack) -> None:
    """Promotes the replica and makes the former primary its replica."""
    cluster = stack.cluster
    await cluster.promote()
    cluster.wait_for_replica(False)
    await cluster.follow()
    stack.keep_postgres()
    await eventually(cluster.replayed, 60, "the new replica")


async def _recovered(stack: ChaosStack) -> set[str]:
    """Recovers the logs that went back, until no process names one."""
    lost: set[str] = set()
    contexts = sorted(map(str, installed_catalog(stack.endpoints["systems"]).contexts))

    async def none_is_named() -> bool:
        said = "".join([await stack.why_not_ready(name) or "" for name in ("relay", "projectors", "worker")])
        for context in contexts:
            if f"caudal recover {context}" in said and (await stack.caudal("recover", context, "--apply"))[0] == 0:
                lost.add(context)
        return not said

    await eventually(none_is_named, _RECOVERY_SECONDS, "the recovery of every log")
    return lost
