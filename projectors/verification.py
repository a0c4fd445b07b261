"""Verification of a view: holds its table against a fresh fold of the logs, both at the same positions."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from projectors.projection import Projection
from projectors.view_writer import ViewWriter
from schemas.catalog import Catalog, ContextName
from schemas.envelope import RecordedEvent
from schemas.view import View
from streams.database.pools import WHOLE_LOG_SECONDS, Connection, Databases
from streams.database.store import views_schema
from streams.database.view_tables import count, definition, difference, identity, scratch_table_of, table_of
from streams.log.reading import ReadableLog
from streams.log.stored_events import decode
from streams.settings import Settings
from streams.subscriptions.dead_letters import Decided, as_decided
from streams.subscriptions.store import SubscriptionStore

_BATCH_SIZE = 2000
_MAX_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class ViewFinding:
    """A row that is not what the logs make of it."""

    key: str
    kind: Literal["missing", "extra", "altered"]


@dataclass(slots=True)
class VerifiedView:
    """What came of holding a view against its logs."""

    view: str
    events: int = 0
    """How many events its checkpoint covers, of those that it is made from."""
    rows: int = 0
    parked: int = 0
    """Open dead letters: events that are left out of both."""
    findings: list[ViewFinding] = field(default_factory=list)
    found: int = 0
    """How many findings there are in all; the first thousand are kept."""


class ViewVerification:
    """Folds a projection's logs anew, into a table that nobody else sees, and compares that with the view.

    The view is looked at as it was at one moment, so its projectors need not stop.
    """

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        system: str,
        projection: Projection[Any],
        databases: Databases,
        logs: Mapping[ContextName, ReadableLog],
    ) -> None:
        view: type[View] = projection.view
        home = ContextName(system, view.view_context)
        self.name = f"{system}.{projection.name}"
        self._projection, self._catalog, self._databases, self._logs = projection, catalog, databases, logs
        self._types = {(catalog.context_of(event), event.message_name) for event in projection.folds}
        self._dsn = settings.view_dsn(home)
        contexts = frozenset(logs)
        self._store = SubscriptionStore.at(settings, databases, self._dsn, views_schema(home), self.name, contexts)
        self._decided: Decided = {}
        self._table, self._fresh = table_of(home, view), scratch_table_of(view)

    async def run(self, on_progress: Callable[[int, int], None]) -> VerifiedView:
        """Compares every row; calls ``on_progress`` with positions done and to be done. Raises `Unavailable`."""
        while True:
            result = VerifiedView(self.name)
            async with self._databases.connection(self._dsn) as connection:
                snapshot = connection.transaction(isolation="repeatable_read")
                await snapshot.start()
                try:
                    live = await connection.fetchval(identity(self._table))
                    await self._fold(connection, result, on_progress)
                    await self._compare(connection, result)
                    if await connection.fetchval(identity(self._table)) == live:
                        return result
                finally:
                    await snapshot.rollback()
            # Another version has been put in its place meanwhile, of whose rows the snapshot knows nothing: once more.

    async def _fold(self, connection: Connection, result: VerifiedView, on_progress: Callable[[int, int], None]) -> None:
        for line in definition(self._fresh):
            await connection.execute(line)
        writer = ViewWriter(self._projection, self._fresh)
        checkpoints, self._decided = (
            await self._store.checkpoints.all(connection),
            await self._store.dead_letters.decided(connection, open_too=True),
        )
        result.parked = await self._store.dead_letters.count(connection)
        total, done = sum(max(at.values()) for at in checkpoints.values()), 0
        for context, at in checkpoints.items():
            async for events, position in self._events(context, at):
                if events:
                    await writer.apply(connection, events)
                result.events += len(events)
                on_progress(done + position, total)
            done += max(at.values())

    async def _events(
        self, context: ContextName, at: Mapping[int, int]
    ) -> AsyncIterator[tuple[Sequence[RecordedEvent[Any]], int]]:
        """The events that the view stands on, and up to where they go, in the order of the log."""
        after, up_to = 0, max(at.values())
        while after < up_to and (rows := await self._logs[context].read(after, _BATCH_SIZE)):
            yield (
                [
                    decode(found, context, self._catalog)
                    for row in rows
                    if (context, row.type) in self._types and row.position <= at.get(row.partition, 0)
                    if (found := as_decided(self._decided, context, row)) is not None
                ],
                min(rows[-1].position, up_to),
            )
            after = rows[-1].position

    async def _compare(self, connection: Connection, result: VerifiedView) -> None:
        differing = difference(self._table, self._fresh)
        for row in await connection.fetch(differing, _MAX_FINDINGS, timeout=WHOLE_LOG_SECONDS):
            kind: Literal["missing", "extra", "altered"] = (
                "missing" if row["is_missing"] else "extra" if row["is_extra"] else "altered"
            )
            result.findings.append(ViewFinding(row["key"], kind))
            result.found = row["total"]
        result.rows = await connection.fetchval(count(self._table), timeout=WHOLE_LOG_SECONDS)
