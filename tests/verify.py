"""Checks a running stack from outside: with `caudal verify`, and with independent checks of the logs."""

import hashlib

from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.log.partitioning import partition_of
from streams.log.reading import PostgresLog, ReadableLog, log_events
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from tests.stack import Stack


async def verify(stack: Stack) -> dict[ContextName, list[StoredEvent]]:
    """Fails if anything is lost, doubled, reordered or altered; returns every row of every log.

    `caudal verify` checks logs, topics and views; the guarantees of the logs are checked here once more, independently.
    """
    code, out, err = await stack.caudal("verify", "--json")
    assert code == 0, out + err
    catalog = installed_catalog(stack.endpoints["systems"])
    endpoints = stack.endpoints
    settings = Settings(write_dsn=endpoints["postgres"], brokers=endpoints["brokers"], fetch_backoff=endpoints["fetch_backoff"])
    databases = Databases(None, 2)
    try:
        logs = {
            context: await every_event(PostgresLog(Store.of_log(databases, settings.write_dsn, context), context))
            for context in catalog.contexts
        }
    finally:
        await databases.close()
    for context, rows in logs.items():
        check_log(rows, catalog.context(context).partitions)
        await check_chain(stack, context, rows)
    return logs


async def every_event(log: ReadableLog) -> list[StoredEvent]:
    """Returns the whole of a log."""
    return [row async for rows in log_events(log) for row in rows]


def check_log(rows: list[StoredEvent], partitions: int) -> None:
    """Positions and versions are dense, and each row names its predecessor in its partition."""
    assert [row.position for row in rows] == list(range(1, len(rows) + 1))
    versions: dict[str, int] = {}
    newest = [0] * partitions
    for row in rows:
        assert row.version == versions.get(row.stream, 0) + 1, row
        assert row.partition == partition_of(row.stream, partitions), row
        assert row.previous == newest[row.partition], row
        versions[row.stream] = row.version
        newest[row.partition] = row.position


async def check_chain(stack: Stack, context: ContextName, rows: list[StoredEvent]) -> None:
    """Each hash covers its predecessor's, and the head has the last one."""
    schema = f"{context.system}__{context.context}"
    stored = await stack.fetch(f"select hash from {schema}.events order by position")
    digest = b""
    for row, found in zip(rows, stored, strict=True):
        stamp = round(row.recorded_at.timestamp() * 1_000_000)
        covered = (
            *(row.position, row.stream, row.version, row.id, row.type, row.schema_version, row.partition, row.previous),
            *(stamp, row.data, row.metadata),
        )
        content = hashlib.sha256("\n".join(map(str, covered)).encode()).digest()
        digest = hashlib.sha256(digest + content).digest()
        assert found["hash"] == digest, row
    (head,) = await stack.fetch(f"select position, hash from {schema}.head")
    assert (head["position"], head["hash"]) == (len(rows), digest)
