"""Verification of a view: compares its table with a fresh application of the logs, both at the same positions."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from projectors.projection import Projection
from projectors.view_writer import ViewWriter
from schemas.envelope import RecordedEvent
from schemas.system import ContextName
from schemas.view import View
from streams.database.pools import WHOLE_LOG_SECONDS, Connection
from streams.database.view_tables import count, definition, difference, identity, scratch_table_of
from streams.installation import Installation
from streams.log.reading import ReadableLog, log_events
from streams.log.stored_events import decode
from streams.subscriptions.dead_letters import Resolutions, resolved
from streams.subscriptions.store import SubscriptionStore

_BATCH_SIZE = 2000
_MAX_FINDINGS = 1000


@dataclass(frozen=True, slots=True)
class ViewFinding:
    """A row that is not as the logs say."""

    key: str
    kind: Literal["missing", "extra", "altered"]


@dataclass(slots=True)
class VerifiedView:
    """The result of comparing a view with its logs."""

    view: str
    events: int = 0
    """How many of its events its checkpoints cover."""
    rows: int = 0
    parked: int = 0
    """Open dead letters: events that are left out on both sides."""
    findings: list[ViewFinding] = field(default_factory=list)
    found: int = 0
    """How many findings there are in all; the first thousand are kept."""


class ViewVerification:
    """Applies the logs anew to a table that only its own session sees, and compares that with the view.

    It sees the view at one moment, so the projectors need not stop.
    """

    def __init__(
        self, installation: Installation, projection: Projection[Any], logs: Mapping[ContextName, ReadableLog]
    ) -> None:
        self.name = projection.full_name
        self._projection, self._catalog, self._logs = projection, installation.catalog, logs
        self._types = installation.catalog.event_types(projection.events)
        views = installation.view_store(projection.home)
        self._store = SubscriptionStore.at(installation.settings, views, self.name, frozenset(logs))
        self._resolutions: Resolutions = {}
        view: type[View] = projection.view
        self._table, self._fresh = projection.table(), scratch_table_of(view)

    async def run(self, on_progress: Callable[[int, int], None]) -> VerifiedView:
        """Compares every row; calls ``on_progress`` with positions done and to be done. Raises `Unavailable`."""
        while True:
            result = VerifiedView(self.name)
            async with self._store.connection() as connection:
                snapshot = connection.transaction(isolation="repeatable_read")
                await snapshot.start()
                try:
                    live = await connection.fetchval(identity(self._table))
                    await self._apply_anew(connection, result, on_progress)
                    await self._compare(connection, result)
                    if await connection.fetchval(identity(self._table)) == live:
                        return result
                finally:
                    await snapshot.rollback()
            # Another version has taken its place meanwhile. The snapshot does not see the rows of that table: once more.

    async def _apply_anew(self, connection: Connection, result: VerifiedView, on_progress: Callable[[int, int], None]) -> None:
        for line in definition(self._fresh):
            await connection.execute(line)
        writer = ViewWriter(self._projection, self._fresh)
        positions = await self._store.checkpoints.all(connection)
        self._resolutions = await self._store.dead_letters.resolutions(connection, with_open=True)
        result.parked = await self._store.dead_letters.count(connection)
        total, done = sum(max(at.values()) for at in positions.values()), 0
        for context, at in positions.items():
            async for events, position in self._events(context, at):
                if events:
                    await writer.apply(connection, events)
                result.events += len(events)
                on_progress(done + position, total)
            done += max(at.values())

    async def _events(
        self, context: ContextName, at: Mapping[int, int]
    ) -> AsyncIterator[tuple[Sequence[RecordedEvent[Any]], int]]:
        """Yields the events that the checkpoints cover and the position that was reached, in the order of the log."""
        async for rows in log_events(self._logs[context], up_to=max(at.values()), limit=_BATCH_SIZE):
            covered = [row for row in rows if (context, row.type) in self._types and row.position <= at.get(row.partition, 0)]
            events = [decode(event, context, self._catalog) for event in resolved(self._resolutions, context, covered)]
            yield events, rows[-1].position

    async def _compare(self, connection: Connection, result: VerifiedView) -> None:
        differing = difference(self._table, self._fresh)
        for row in await connection.fetch(differing, _MAX_FINDINGS, timeout=WHOLE_LOG_SECONDS):
            kind: Literal["missing", "extra", "altered"] = (
                "missing" if row["is_missing"] else "extra" if row["is_extra"] else "altered"
            )
            result.findings.append(ViewFinding(row["key"], kind))
            result.found = row["total"]
        result.rows = await connection.fetchval(count(self._table), timeout=WHOLE_LOG_SECONDS)
