"""A subscriber that keeps in memory what it has handled, and logs to read from."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from schemas.envelope import Metadata
from schemas.expected_version import NO_STREAM
from schemas.message import Event
from schemas.system import ContextName
from streams.log.memory import MemoryLog
from streams.log.reading import Append, Write
from streams.log.stored_events import StoredEvent, encode
from streams.subscriptions.checkpoints import ControlState
from streams.subscriptions.subscriber import Batch

CONTEXT = ContextName("todo", "tasks")


class Added(Event, name="Added"):
    pass


async def filled_log(events: int, log: MemoryLog | None = None) -> MemoryLog:
    """A log of two partitions with events of streams of their own."""
    log = log or MemoryLog(CONTEXT, partitions=2)
    for _ in range(events):
        id = uuid4()
        write = Write(f"s-{id}", NO_STREAM, (encode(Added()),))
        metadata = Metadata(command_id=id, correlation_id="c")
        await log.append([Append(command_id=id, fingerprint=b"", metadata=metadata, writes=(write,))])
    return log


class FakeNotes:
    """The statements about attempts, on a dictionary that outlasts a process."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], dict[str, int]] = {}
        self.statements = 0

    async def fetchrow(self, _: str, subscription: str, *where: Any) -> dict[str, int] | None:
        return self.rows.get(where)

    async def execute(self, name: str, subscription: str, *columns: list[Any]) -> None:
        self.statements += 1
        for where, values in ((row[:2], row[2:]) for row in zip(*columns, strict=True)):
            if name == "attempts_clear":
                self.rows.pop(where, None)
            else:
                self.rows[where] = dict(zip(("first", "up_to", "times"), values, strict=True))


class FakeSubscriber:
    """Handles what follows its position, unless a test lets it fail."""

    name = "todo.tasks"
    contexts = frozenset({CONTEXT})
    events = {CONTEXT: frozenset({"Added@1"})}

    def __init__(self) -> None:
        self.state = ControlState()
        self.checkpoints = self
        self.subscription, self.store = self.name, FakeNotes()
        self.positions = [0, 0]
        self.handled: list[tuple[int, int]] = []
        self.invalidated: list[int] = []
        self.retries = self.calls = self.waits_for_room = 0
        self.parked: dict[int, str] = {}
        self.fails_with: Exception | None = None
        self.is_idle = False
        """Returns whether it handles nothing, without an error."""

    @property
    def stores(self) -> Sequence[Any]:
        return [self]

    async def control_state(self) -> ControlState:
        return self.state

    async def position(self, context: ContextName, partition: int) -> int:
        return self.positions[partition]

    async def handle(self, batches: Sequence[Batch]) -> None:
        self.calls += 1
        if self.fails_with is not None:
            raise self.fails_with
        for batch in () if self.is_idle else batches:
            new = [event.position for event in batch.events if event.position > self.positions[batch.partition]]
            self.handled += [(batch.partition, position) for position in new]
            self.positions[batch.partition] = max([self.positions[batch.partition], *new])

    async def wait_for_room(self) -> None:
        self.waits_for_room += 1

    async def retry(self) -> None:
        self.retries += 1

    async def park(self, context: ContextName, event: StoredEvent, error: Exception) -> None:
        self.parked[event.position] = str(error)

    def invalidate(self, context: ContextName, partition: int) -> None:
        self.invalidated.append(partition)
