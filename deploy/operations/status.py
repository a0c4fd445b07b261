"""``caudal status``: each process, each log's head, and each subscription's checkpoint and lag."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import orjson

from deploy.console import printing
from deploy.console.connection import connected
from deploy.local.endpoints import Endpoints, running_stack
from deploy.local.ports import LOOPBACK, listens
from deploy.operations.subscriptions.installed import subscriptions
from schemas.catalog import Catalog, ContextName
from streams.database.pools import Databases
from streams.database.store import Store, log_schema, statement
from streams.log.reading import PostgresLog
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    name: str
    port: int
    state: str


@dataclass(frozen=True, slots=True)
class LogStatus:
    context: str
    head: int
    relayed: int
    owner: str | None
    """Who relays it right now."""


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    name: str
    context: str
    checkpoint: list[int]
    """Position in each partition."""
    lag: int
    """Events of the log above the checkpoints."""
    is_paused: bool
    dead_letters: int
    """Open ones of the whole subscription in the place where they are kept."""


async def show_status(data_dir: Path, settings: Settings, *, as_json: bool) -> int:
    """Prints the state of the stack that runs from a folder, else of what the settings name; 1 where something is down."""
    stack = running_stack(data_dir)
    settings = connected(settings, data_dir)
    processes = [] if stack is None else [await _process(stack, name) for name in stack.ports]
    databases = Databases(None, pool_size=2)
    try:
        catalog = Catalog.installed(settings.systems)
        logs = [await _log(settings, databases, context) for context in catalog.contexts]
        followed = await _subscriptions(settings, databases, catalog)
    finally:
        await databases.close()
    if as_json:
        content = {"processes": processes, "logs": logs, "subscriptions": followed}
        sys.stdout.write(orjson.dumps(content, default=asdict).decode() + "\n")
    else:
        _print(processes, logs, followed)
    return 1 if any(process.state != "ready" for process in processes) else 0


async def _process(stack: Endpoints, name: str) -> ProcessStatus:
    port = stack.ports[name]
    if not listens(port):
        return ProcessStatus(name, port, "down")
    if name in ("postgres", "broker", "controller", "mail"):
        return ProcessStatus(name, port, "ready")
    try:
        async with httpx.AsyncClient(timeout=3, verify=False) as client:
            answer = (await client.get(f"http://{LOOPBACK}:{port}/readyz")).json()
    except (httpx.HTTPError, ValueError):
        return ProcessStatus(name, port, "does not answer")
    return ProcessStatus(name, port, answer["status"])


async def _log(settings: Settings, databases: Databases, context: ContextName) -> LogStatus:
    dsn = settings.log_dsn(context)
    head = await PostgresLog(Store.of_log(databases, dsn, context), context).head()
    async with databases.connection(dsn) as connection:
        relay = await connection.fetchrow(statement("relay_state", log_schema(context)))
    assert relay is not None, "the migration made the row"
    return LogStatus(str(context), head.position, relay["position"], relay["owner"] if relay["held"] else None)


async def _subscriptions(settings: Settings, databases: Databases, catalog: Catalog) -> list[SubscriptionStatus]:
    found = []
    async with subscriptions(settings) as every:
        for one in every:
            for context in one.contexts:
                store = one.store_of(context)
                at = (await store.checkpoints.all()).get(context, {})
                checkpoint = [at.get(partition, 0) for partition in range(catalog.context(context).partitions)]
                async with databases.connection(settings.log_dsn(context)) as connection:
                    lag = await connection.fetchval(statement("lag", log_schema(context)), checkpoint)
                async with store.transaction() as connection:
                    dead_letters = await store.dead_letters.count(connection)
                is_paused = (await store.checkpoints.control_state()).is_paused
                found.append(SubscriptionStatus(one.name, str(context), checkpoint, lag, is_paused, dead_letters))
    return found


def _summary(processes: Sequence[ProcessStatus], logs: Sequence[LogStatus], followed: Sequence[SubscriptionStatus]) -> str:
    """How it is, in a sentence or two."""
    said = []
    if processes:
        missing = [process.name for process in processes if process.state != "ready"]
        said.append(f"Not at work: {', '.join(missing)}." if missing else "Every process is at work.")
    unpublished, lag = sum(log.head - log.relayed for log in logs), sum(one.lag for one in followed)
    if unpublished or lag:
        said.append(
            f"{printing.counted(unpublished, 'event')} to be published, {lag} to be followed by one subscription or another."
        )
    else:
        said.append("Every event is published, and followed by all that follow it.")
    if dead_letters := sum(one.dead_letters for one in followed):
        said.append(f"{printing.counted(dead_letters, 'dead letter')}: `caudal dead-letters list` shows them.")
    return " ".join(said)


def _print(processes: Sequence[ProcessStatus], logs: Sequence[LogStatus], followed: Sequence[SubscriptionStatus]) -> None:
    out = printing.console()
    out.print(_summary(processes, logs, followed))
    if processes:
        shown = printing.table("Process", "Port", "State")
        for p in processes:
            shown.add_row(p.name, str(p.port), p.state)
        out.print(shown)
    shown = printing.table("Log", "Head", "Relayed", "Relayed by")
    for log in logs:
        shown.add_row(log.context, str(log.head), str(log.relayed), log.owner or "nobody")
    out.print(shown)
    shown = printing.table("Subscription", "Of context", "Position in each partition", "Lag", "Dead letters", "State")
    for s in followed:
        state, context = "paused" if s.is_paused else "behind" if s.lag else "up to date", s.context.partition(".")[2]
        shown.add_row(s.name, context, " ".join(map(str, s.checkpoint)), str(s.lag), str(s.dead_letters), state)
    out.print(shown)
