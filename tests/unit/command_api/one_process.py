"""One process that handles the commands of a topic, with fakes of what is outside of it."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from command_api.topic_worker import TopicWorker
from schemas.catalog import Catalog
from schemas.data_ingestion import SYSTEM
from schemas.engine import SYSTEM as ENGINE_SYSTEM
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.broker.topic_names import Topics
from streams.commands.handled_commands import Expired, digest
from streams.commands.notes import CommandNotes
from streams.settings import Settings
from streams.subscriptions.process_deaths.attempts import Attempt
from streams.subscriptions.process_deaths.turns import Turns
from tests.unit.command_api.known import Known

CONTEXT = ContextName("data_ingestion", "ingestion")
CATALOG = Catalog.of([SYSTEM, ENGINE_SYSTEM])
BODY = b'{"partner_id": "acme", "payload": {"n": 1}}'


class Outside:
    """The handler and the dead-letters topic."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.handled: list[UUID] = []
        self.is_known: list[bool] = []
        self.parked: list[str] = []
        self.answered: list[tuple[UUID, str]] = []
        self.outages_of_answers = 0
        self.receipts: set[UUID] = set()
        self.topic: dict[int, Any] = {}

    async def known(self, context: ContextName, ids: Iterable[UUID]) -> set[UUID]:
        assert context == CONTEXT
        return self.receipts & set(ids)

    async def handle(self, command: CommandEnvelope[Any], *, is_known: bool) -> None:
        self.is_known.append(is_known)
        if self.errors:
            raise self.errors.pop(0)
        self.handled.append(command.id)

    async def record_failure(self, context: ContextName, id: UUID, correlation_id: str, why: str) -> None:
        if self.outages_of_answers:
            self.outages_of_answers -= 1
            raise Unavailable
        self.answered.append((id, why))

    async def record_at(self, topic: str, partition: int, offset: int) -> Any | None:
        return self.topic.get(offset)

    async def park(self, record: Any, error: Exception, *, keep_value: bool) -> None:
        self.parked.append(f"{type(error).__name__}: {error}")


def record(id: UUID, body: bytes = BODY, *, policy: bytes | None = None, age_days: float = 0, offset: int = 7) -> Any:
    headers = [("ce_type", b"data_ingestion.receive-data"), ("ce_id", str(id).encode())]
    if policy is not None:
        headers.append(("ce_policy", policy))
    topic = Topics(Settings(), CATALOG).commands(CONTEXT)
    at = int((time.time() - age_days * 86_400) * 1000)
    return SimpleNamespace(topic=topic, partition=0, offset=offset, key=b"k", value=body, headers=headers, timestamp=at)


class Table:
    """The attempts of one partition, which outlast processes."""

    def __init__(self) -> None:
        self.attempt: Attempt | None = None

    async def newest(self, context: ContextName, partition: int) -> Attempt | None:
        return self.attempt

    async def note(self, attempts: Mapping[tuple[ContextName, int], Attempt]) -> None:
        (self.attempt,) = attempts.values()

    async def clear(self, partitions: Iterable[tuple[ContextName, int]]) -> None:
        self.attempt = None


class Handled:
    """How far a partition has been handled, and the record at which receipts were dropped."""

    def __init__(self, expired: Any = None) -> None:
        self.up_to = -1
        self.last = None if expired is None else Expired(expired.offset, digest(expired))

    async def note(self, partition: int, record: Any) -> None:
        self.up_to = record.offset

    async def expired(self, partition: int) -> Expired | None:
        return self.last

    async def drop(self, partition: int) -> None:
        self.last = None


def process(
    outside: Outside, *, table: Table | None = None, known: Known | None = None, handled: Handled | None = None
) -> TopicWorker:
    """A process that has just started."""
    notes: Any = CommandNotes(table or Table(), known or Known(), handled or Handled())  # type: ignore[arg-type]
    worker = TopicWorker(Settings(), CATALOG, outside, {CONTEXT: notes}, Turns())  # type: ignore[arg-type]
    worker._consumer = SimpleNamespace(  # type: ignore[assignment]
        park=outside.park, context_of=lambda _: CONTEXT, why_not_ready=lambda: None, record_at=outside.record_at
    )
    return worker


async def handle(
    outside: Outside, *records: Any, table: Table | None = None, known: Known | None = None, handled: Handled | None = None
) -> None:
    """A process that has just started handles a batch."""
    await asyncio.wait_for(process(outside, table=table, known=known, handled=handled)._handle_batch(records), 5)
