"""Caudal's log: `python -m tests.benchmarks.peers.caudal DSN new|hot|batches CLIENTS SECONDS`.

A client appends one command of one event at a time, through the group commit that the command handler uses; in the case
``batches`` two clients append batches of 128 commands each.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

import uvloop
from uuid_utils import uuid7
from uuid_utils.compat import uuid7 as uuid7_object

from schemas.catalog import Catalog
from schemas.envelope import Metadata
from schemas.expected_version import NO_STREAM, ExpectedVersion
from schemas.system import Context, ContextName, System
from streams.database.pools import Databases
from streams.database.store import Store
from streams.log.appending import AppendablePostgresLog
from streams.log.group_commit import GroupCommit
from streams.log.reading import Append, Write
from streams.log.stored_events import EventData
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.benchmarks.peers.report import PAYLOAD, report

CONTEXT = ContextName("bench", "log")
CATALOG = Catalog.of([System("bench", (Context("log"),))])
BATCH = 128


def command(stream: str, expected: ExpectedVersion) -> Append:
    id = uuid7_object()
    return Append(
        command_id=id,
        fingerprint=id.bytes,
        metadata=Metadata(command_id=id, correlation_id=str(id)),
        writes=(Write(stream, expected, (EventData(str(uuid7()), "Happened", 1, PAYLOAD),)),),
    )


async def run(dsn: str, case: str, clients: int, seconds: float) -> None:
    await migrate(Settings(write_dsn=dsn), CATALOG)
    databases = Databases("caudal_writer", 8)
    log = AppendablePostgresLog(Store.of_log(databases, dsn, CONTEXT), CONTEXT, 4)
    commit = GroupCommit(log)
    await log.head()  # a connection is open before the clock starts
    started = time.monotonic()
    deadline = started + seconds

    async def new() -> int:
        count = 0
        while time.monotonic() < deadline:
            await commit.append(command(f"bench-{uuid7()}", NO_STREAM))
            count += 1
        return count

    async def hot() -> int:
        stream, version = f"bench-{uuid7()}", 0
        while time.monotonic() < deadline:
            await commit.append(command(stream, ExpectedVersion(version)))
            version += 1
        return version

    async def batches() -> int:
        count = 0
        while time.monotonic() < deadline:
            count += len(await log.append([command(f"bench-{uuid7()}", NO_STREAM) for _ in range(BATCH)]))
        return count

    client: Callable[[], Awaitable[int]] = {"new": new, "hot": hot, "batches": batches}[case]
    events = sum(await asyncio.gather(*(client() for _ in range(clients))))
    report(case, clients, events, time.monotonic() - started)
    await databases.close()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
