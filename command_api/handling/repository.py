"""Aggregates of one context as they stand: from memory, from a snapshot and the events after it, or from all events."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

import structlog
from prometheus_client import Counter

from aggregates.aggregate import Aggregate
from aggregates.decision import Ref
from command_api.handling.cache import AggregateMemory
from schemas.catalog import Catalog
from schemas.errors import Unusable
from streams.log.reading import AppendableLog, checked
from streams.log.snapshots import Snapshot
from streams.log.stored_events import decode

_log = structlog.get_logger()
_BATCH_SIZE = 5000

LOADED = Counter("caudal_aggregates_loaded", "Aggregates that were looked for.", ["source"])
_FROM_MEMORY, _FROM_SNAPSHOT, _FROM_EVENTS = map(LOADED.labels, ("memory", "snapshot", "events"))
SNAPSHOTS_IGNORED = Counter("caudal_snapshots_ignored", "Snapshots that today's code cannot use, or not take.", ["category"])


class Repository:
    """Loads aggregates of one context and keeps their snapshots."""

    def __init__(self, log: AppendableLog, catalog: Catalog, memory: AggregateMemory) -> None:
        self._log, self._catalog, self._memory = log, catalog, memory
        self._keeping: set[asyncio.Task[None]] = set()
        self._reading: dict[str, asyncio.Future[Aggregate]] = {}
        """Streams that are being read: however many ask for one at once, it is read once."""

    async def load(self, ref: Ref, at: datetime, *, assume_new: bool = False) -> Aggregate:
        """An aggregate as far as this process knows it; the append tells if it is out of date.

        With ``assume_new`` one that is not in memory is taken to be new, and nothing is read. Raises `Invalid` where no
        stream can have that name.
        """
        aggregate = self._memory.get(self._log.context, ref.stream)
        if aggregate is not None:
            _FROM_MEMORY.inc()
        else:
            aggregate = ref.aggregate.empty(checked(ref.stream), at)
            if not assume_new:
                aggregate = await self._read_once(aggregate)
                # Somebody may have loaded the same stream meanwhile: one object stands for it.
                aggregate = self._memory.get(self._log.context, ref.stream) or aggregate
        self._memory.keep(self._log.context, aggregate)
        return aggregate

    def disown(self, aggregates: Iterable[Aggregate]) -> None:
        """Forgets aggregates whose state did not come to be; whatever else was decided on them does not stand either."""
        for aggregate in aggregates:
            aggregate.stands = False
            self._memory.forget(self._log.context, aggregate)

    def record(self, stream: str, data_bytes: int) -> None:
        """Takes into account that events of so many bytes were added to an aggregate in memory."""
        self._memory.record(self._log.context, stream, data_bytes)

    def forget(self, stream: str) -> None:
        """Forgets what is remembered of a stream: the log knows better."""
        aggregate = self._memory.get(self._log.context, stream)
        if aggregate is not None:
            self._memory.forget(self._log.context, aggregate)

    def due_snapshots(self, aggregates: Iterable[Aggregate]) -> list[Snapshot]:
        """Snapshots of those that have one due, taken now, for `keep` once the log has their events."""
        taken = []
        for aggregate in aggregates:
            if aggregate.is_snapshot_due():
                try:
                    taken.append(snapshot_of(aggregate))
                except Unusable as error:
                    SNAPSHOTS_IGNORED.labels(aggregate.category).inc()
                    _log.error("no snapshot could be taken", stream=aggregate.id, why=error.detail)
        return taken

    def keep(self, snapshots: Iterable[Snapshot]) -> None:
        """Keeps snapshots in the background; one that is not kept costs a longer load, nothing else."""
        for snapshot in snapshots:
            task = asyncio.create_task(self._keep(snapshot))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _keep(self, snapshot: Snapshot) -> None:
        try:
            await self._log.keep_snapshot(snapshot)
        except Exception as error:
            _log.warning("a snapshot was not kept", stream=snapshot.stream, why=repr(error))

    async def _read_once(self, aggregate: Aggregate) -> Aggregate:
        """The aggregate as the log has it: read here, or by whoever reads the same stream already, and fails for all.

        What somebody else read may be out of date by now; the append tells, as it does of what is in memory.
        """
        while (reading := self._reading.get(aggregate.id)) is not None:
            await asyncio.wait([reading])
            if not reading.cancelled() and (found := reading.result()).stands:
                return found
        reading = self._reading[aggregate.id] = asyncio.get_running_loop().create_future()
        try:
            await self._read(aggregate)
            reading.set_result(aggregate)
        except Exception as error:
            reading.set_exception(error)
            reading.exception()  # nobody may be waiting for it
            raise
        finally:
            reading.cancel()  # where this task was: the next one reads for itself
            del self._reading[aggregate.id]
        return aggregate

    async def _read(self, aggregate: Aggregate) -> None:
        await self._restore(aggregate)
        (_FROM_SNAPSHOT if aggregate.version else _FROM_EVENTS).inc()
        while rows := await self._log.read_stream(aggregate.id, aggregate.version, _BATCH_SIZE):
            for row in rows:
                recorded = decode(row, self._log.context, self._catalog)
                aggregate.replay(recorded.data, recorded.version, recorded.recorded_at)
            if len(rows) < _BATCH_SIZE:
                break
        self.keep(self.due_snapshots([aggregate]))

    async def _restore(self, aggregate: Aggregate) -> None:
        if aggregate.snapshots is None or (snapshot := await self._log.snapshot(aggregate.id)) is None:
            return
        try:
            aggregate.restore(snapshot.version, snapshot.state_schema, snapshot.state)
        except Unusable as error:
            SNAPSHOTS_IGNORED.labels(aggregate.category).inc()
            _log.info("ignored a snapshot", stream=aggregate.id, why=error.detail)


def snapshot_of(aggregate: Aggregate) -> Snapshot:
    """A snapshot of an aggregate as it stands."""
    assert aggregate.snapshots is not None, "asked only where one is due"
    aggregate.snapshot_version = aggregate.version
    policy = aggregate.snapshots
    return Snapshot(aggregate.id, aggregate.version, policy.state_schema, policy.take(aggregate))
