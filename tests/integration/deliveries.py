"""Logs to project from: deliveries that were received, validated and processed."""

from uuid import UUID, uuid4

from command_api.app import make_handler, open_logs
from command_api.handler import now
from schemas.catalog import Catalog, ContextName
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.data_ingestion.processing import ProcessData
from schemas.data_ingestion.validation import ValidateData
from schemas.envelope import Issued
from schemas.message import Command
from streams.postgres import Databases
from streams.rows import Row
from streams.settings import Settings
from streams.subscriber import Slice

DELIVERIES = 40


async def received_validated_and_processed(
    settings: Settings, catalog: Catalog, databases: Databases, count: int = DELIVERIES
) -> dict[ContextName, list[Row]]:
    """Appends so many deliveries' events; returns every row by context."""
    opened = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, opened)

    async def issue(command: Command) -> UUID:
        receipt = await handler.handle(Issued(command=command, id=uuid4(), at=now(), correlation_id="c"))
        return receipt.command_id

    for n in range(count):
        payload = {"n": n}
        data_id = await issue(ReceiveData(partner_id="p", payload=payload))
        await issue(ValidateData(data_id=data_id, partner_id="p", payload=payload))
        await issue(ProcessData(data_id=data_id, partner_id="p", payload=payload))
    for log in opened.values():
        await log.settle()
    return {context: list(await log.read(0, 10_000)) for context, log in opened.items()}


def slices_of(logs: dict[ContextName, list[Row]], size: int) -> list[Slice]:
    """The rows as a subscription would bring them, so many at a time."""
    found = []
    for context, rows in logs.items():
        for partition in range(4):
            own = [row for row in rows if row.partition == partition]
            found += [Slice(context, partition, own[at : at + size]) for at in range(0, len(own), size)]
    return found
