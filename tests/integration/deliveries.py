"""Logs to project from: deliveries that were received, validated and processed."""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

from command_api.clock import now
from command_api.composition import make_handler, open_logs
from projectors.data_ingestion import PROJECTIONS
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.data_ingestion.processing import ProcessData
from schemas.data_ingestion.validation import ValidateData
from schemas.envelope import CommandEnvelope
from schemas.message import Command
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.database.pools import Databases
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from streams.subscriptions.subscriber import Batch
from tests.verify import every_event

DELIVERIES = 40
RECORDS = PROJECTIONS[0].of("data_ingestion")


async def received_validated_and_processed(
    settings: Settings, catalog: Catalog, databases: Databases, count: int = DELIVERIES
) -> dict[ContextName, list[StoredEvent]]:
    """Appends so many deliveries' events; returns every row by the context that has some."""
    opened = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, opened, databases, BoundedProcesses())

    async def issue(command: Command) -> UUID:
        receipt = await handler.handle(CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c"))
        return receipt.command_id

    payloads = [{"n": n} for n in range(count)]
    received = await asyncio.gather(*(issue(ReceiveData(partner_id="p", payload=payload)) for payload in payloads))
    for step in (ValidateData, ProcessData):
        every = zip(received, payloads, strict=True)
        await asyncio.gather(*(issue(step(data_id=id, partner_id="p", payload=payload)) for id, payload in every))
    for log in opened.values():
        await log.drain()
    rows = {context: await every_event(log) for context, log in opened.items()}
    return {context: found for context, found in rows.items() if found}


async def all_handled(settings: Settings, catalog: Catalog, databases: Databases, commands: Sequence[Command]) -> None:
    """Handles commands."""
    opened = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, opened, databases, BoundedProcesses())
    for command in commands:
        await handler.handle(CommandEnvelope(data=command, id=uuid4(), at=now(), correlation_id="c"))
    for log in opened.values():
        await log.drain()


def batches_of(logs: dict[ContextName, list[StoredEvent]], size: int) -> list[Batch]:
    """The rows as a subscription would bring them, so many at a time."""
    found = []
    for context, rows in logs.items():
        for partition in range(4):
            own = [row for row in rows if row.partition == partition]
            found += [Batch(context, partition, own[at : at + size]) for at in range(0, len(own), size)]
    return found
