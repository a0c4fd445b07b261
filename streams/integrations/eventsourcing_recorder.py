"""A recorder for applications of the package ``eventsourcing``: their events are stored in a log of Caudal.

Set ``PERSISTENCE_MODULE=streams.integrations.eventsourcing_recorder`` and ``CAUDAL_CONTEXT=system.context`` in the
application's environment (docs/eventsourcing.md). Notification ids are positions of the log: they have no gaps and appear in
order. The events are chained, signed and verified like all others. The package is synchronous, the log is not::

    threads of the application ── insert_events ──> run_coroutine_threadsafe ──> event loop in the recorder's thread
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from itertools import groupby
from typing import Any, NoReturn, TypeVar
from uuid import UUID
from weakref import WeakSet

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    DataError,
    InfrastructureFactory,
    IntegrityError,
    ListenNotifySubscription,
    Notification,
    OperationalError,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)
from uuid_utils.compat import uuid7 as uuid7_object

from schemas.catalog import Catalog
from schemas.envelope import Metadata
from schemas.errors import Conflict, Invalid, Misconfigured, Unavailable
from schemas.expected_version import ANY_VERSION, ExpectedVersion
from schemas.system import Context, ContextName, System
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.integrations.eventsourcing_events import CATEGORY, decoded, encoded, stream_of
from streams.log.appending import AppendablePostgresLog
from streams.log.group_commit import GroupCommit
from streams.log.reading import Append, Write, stream_events
from streams.log.search import Conditions, SearchableLog
from streams.log.stored_events import MAX_RECORD_BYTES, check_publishable
from streams.log.stored_events import StoredEvent as LogEvent
from streams.migrations.migrate import migrate
from streams.relay.wakeup import listen
from streams.settings import Settings

T = TypeVar("T")
_MAX_POSITION = 2**62
_POLL_SECONDS = 0.25


class CaudalRecorder(ApplicationRecorder):
    """The application recorder of ``eventsourcing`` on a context's log, for any number of threads.

    An originator's versions begin at 0 or 1 and must follow each other: a gap is rejected like a conflict.
    """

    def __init__(
        self,
        dsn: str,
        context: ContextName,
        *,
        originator_ids: type[UUID] | type[str] = UUID,
        max_record_bytes: int = MAX_RECORD_BYTES,
    ) -> None:
        self._dsn, self._originator_ids, self._max_record_bytes = dsn, originator_ids, max_record_bytes
        self._subscriptions: WeakSet[RecorderSubscription] = WeakSet()
        self._loop = asyncio.new_event_loop()
        self._databases = Databases("caudal_writer", 8)
        self._reader = SearchableLog(Store.of_log(self._databases, dsn, context), context)
        self._waking: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"log of {context}", daemon=True)
        self._thread.start()
        try:
            self._log = self._run(self._open(context))
        except BaseException:
            self._stop()
            raise
        self._commit = GroupCommit(self._log)

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Appends events, all or none, and returns their positions.

        Raises ``IntegrityError`` if a version exists or is skipped, ``DataError`` for an event that is too large for its topic,
        ``OperationalError`` while the log is out of reach.
        """
        return self._run(self._insert(list(stored_events))) if stored_events else []

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Returns an originator's events between versions."""
        return self._run(self._select(originator_id, gt, lte, desc, limit))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Returns events of the log between positions."""
        after = 0 if start is None else start - inclusive_of_start
        return self._run(self._notifications(after, limit, stop, topics))

    def max_notification_id(self) -> int | None:
        """Returns the position of the log's head; ``None`` while it is empty."""
        return self._run(self._log.head()).position or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> Subscription[ApplicationRecorder]:
        """Returns a subscription to the events above a position, including those that any process appends later."""
        subscription = RecorderSubscription(self, gt, topics)
        self._subscriptions.add(subscription)
        return subscription

    def close(self) -> None:
        """Ends the thread and closes its connections."""
        if not self._loop.is_closed():
            self._run(self._close())
            self._stop()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except Unavailable as error:  # before Conflict: a race inside the database is both
            raise OperationalError(error.detail) from error
        except Conflict as error:
            raise IntegrityError(error.detail) from error
        except Invalid as error:
            raise DataError(error.detail) from error

    async def _insert(self, events: list[StoredEvent]) -> Sequence[int]:
        _check_versions(events)
        writes: list[Write] = []
        seen: set[UUID | str] = set()
        for id, run in groupby(events, key=lambda event: event.originator_id):
            own = list(run)
            expected = ANY_VERSION if id in seen else await self._expected(own[0])
            data = tuple(map(encoded, own))
            for event in data:
                check_publishable(event, self._max_record_bytes)
            writes.append(Write(stream_of(id), expected, data))
            seen.add(id)
        command_id = uuid7_object()
        metadata = Metadata(command_id=command_id, correlation_id=str(command_id))
        receipt = await self._commit.append(Append(command_id, command_id.bytes, metadata, tuple(writes)))
        last_of_first = max(n for n, event in enumerate(events) if event.originator_id == events[0].originator_id)
        first = receipt.position - last_of_first
        return list(range(first, first + len(events)))

    async def _expected(self, event: StoredEvent) -> ExpectedVersion:
        """Returns the version that the stream must have if an event comes next."""
        if event.originator_version == 0:
            return ExpectedVersion.exact(0)
        rows = await self._log.read_stream(stream_of(event.originator_id), 0, 1)
        if not rows and event.originator_version != 1:
            raise IntegrityError(f"the versions of {event.originator_id} begin at 0 or 1, not at {event.originator_version}")
        begin = decoded(rows[0])[0] if rows else event.originator_version
        return ExpectedVersion.exact(event.originator_version - begin)

    async def _select(
        self, originator_id: UUID | str, gt: int | None, lte: int | None, desc: bool, limit: int | None
    ) -> Sequence[StoredEvent]:
        # A stream's first version is 1, an originator's is 0 or 1: this may read one event too many, and leaves it out.
        after = max((0 if gt is None else gt) - 1, 0)
        bounds = [] if lte is None else [max(lte - after + 1, 0)]
        if limit is not None and not desc:
            bounds.append(limit + 1)
        chunks = stream_events(self._log, stream_of(originator_id), after, min(bounds, default=None))
        found = [self._stored(row) async for rows in chunks for row in rows]
        found = [e for e in found if (gt is None or e.originator_version > gt) and (lte is None or e.originator_version <= lte)]
        return (found[::-1] if desc else found)[:limit]

    async def _notifications(self, after: int, limit: int, stop: int | None, topics: Sequence[str]) -> Sequence[Notification]:
        up_to = min((await self._log.head()).position, _MAX_POSITION if stop is None else stop)
        found: list[Notification] = []
        async for step in self._reader.search(Conditions(types=tuple(topics) or None), after, up_to, max(limit, 1)):
            found += map(self._notification, step.rows)
            if len(found) >= limit:
                break
        return found[:limit]

    async def _open(self, context: ContextName) -> AppendablePostgresLog:
        partitions = len((await self._reader.head()).partitions)
        # Notifications may be lost, so the subscriptions also poll.
        self._waking = [asyncio.create_task(listen(self._dsn, self._wake)), asyncio.create_task(self._wake_periodically())]
        return AppendablePostgresLog(Store.of_log(self._databases, self._dsn, context), context, partitions)

    async def _wake_periodically(self) -> None:
        while True:
            self._wake()
            await asyncio.sleep(_POLL_SECONDS)

    def _wake(self, _: str = "") -> None:
        for subscription in list(self._subscriptions):
            subscription.wake()

    async def _close(self) -> None:
        for task in self._waking:
            task.cancel()
        await asyncio.gather(*self._waking, return_exceptions=True)
        await self._log.drain()
        await self._databases.close()

    def _stored(self, row: LogEvent) -> StoredEvent:
        version, state = decoded(row)
        return StoredEvent(self._originator_id(row), version, row.type, state)

    def _notification(self, row: LogEvent) -> Notification:
        version, state = decoded(row)
        return Notification(self._originator_id(row), version, row.type, state, id=row.position)

    def _originator_id(self, row: LogEvent) -> UUID | str:
        return self._originator_ids(row.stream.removeprefix(f"{CATEGORY}-"))


def _check_versions(events: Sequence[StoredEvent]) -> None:
    """Raises ``IntegrityError`` unless the versions of each originator follow each other."""
    newest: dict[UUID | str, int] = {}
    for event in events:
        id, version = event.originator_id, event.originator_version
        if newest.setdefault(id, version - 1) != version - 1:
            raise IntegrityError(f"the versions of {id} do not follow each other")
        newest[id] = version


class RecorderSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The package's own subscription, woken by appends."""

    def wake(self) -> None:
        """Makes the subscription look for events."""
        self._has_been_notified.set()


class CaudalFactory(InfrastructureFactory[TrackingRecorder]):
    """The factory that ``eventsourcing`` finds in this module: makes the recorder from the application's environment.

    ``CAUDAL_CONTEXT`` names the log, ``ORIGINATOR_ID_TYPE`` is ``uuid`` or ``text``, ``CREATE_TABLE=no`` leaves the schema to
    ``caudal migrate``. The database is that of Caudal's own settings. Snapshots, tracking and process recorders are not
    supported.
    """

    _recorder: CaudalRecorder | None = None

    def application_recorder(self) -> ApplicationRecorder:
        name = self.env.get("CAUDAL_CONTEXT")
        if name is None:
            raise Misconfigured("CAUDAL_CONTEXT is not set: set it to the application's log, such as bank.accounts")
        context, settings = ContextName.parse(name), Settings()
        if self.env.get("CREATE_TABLE", "yes").lower() not in ("no", "false", "0", "n", "off"):
            declared = installed_catalog().contexts.get(context, Context(context.context))
            asyncio.run(migrate(settings, Catalog.of([System(context.system, (declared,))])))
        ids = str if self.env.get("ORIGINATOR_ID_TYPE", "uuid").lower() == "text" else UUID
        self._recorder = CaudalRecorder(
            settings.log_dsn(context), context, originator_ids=ids, max_record_bytes=settings.max_record_bytes
        )
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        self._reject("snapshots")

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        self._reject("tracking")

    def process_recorder(self) -> ProcessRecorder:
        self._reject("processes; Caudal's projections and policies do that")

    def close(self) -> None:
        if self._recorder is not None:
            self._recorder.close()

    def _reject(self, what: str) -> NoReturn:
        raise Misconfigured(f"Caudal has no recorder for {what}: it stores the events of an application")
