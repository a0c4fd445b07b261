"""Composition: the parts that the processes of the write side share."""

from collections.abc import Mapping
from uuid import uuid4

from aggregates.system import with_sagas
from command_api.clock import now
from command_api.handling import activities
from command_api.handling.activities import ActivityDependencies
from command_api.handling.handler import CommandHandler
from command_api.handling.passwords import Passwords
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope, Receipt
from schemas.message import Command
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import declared_domains
from streams.encryption.subject_keys import SubjectKeys
from streams.log.appending import AppendablePostgresLog
from streams.settings import Settings


def writer_databases(settings: Settings) -> Databases:
    """Returns connections in the database role that may only append and read."""
    return Databases("caudal_writer", settings.pool_size)


def open_logs(settings: Settings, catalog: Catalog, databases: Databases) -> Mapping[ContextName, AppendablePostgresLog]:
    """Returns every context's log, for appending."""
    return {
        name: AppendablePostgresLog(Store.of_log(databases, settings.log_dsn(name), name), name, context.partitions)
        for name, context in catalog.contexts.items()
    }


def make_handler(
    settings: Settings,
    catalog: Catalog,
    logs: Mapping[ContextName, AppendablePostgresLog],
    databases: Databases,
    processes: BoundedProcesses,
    passwords: Passwords | None = None,
) -> CommandHandler:
    """Returns the handler of every installed system's commands; the caller closes ``processes`` and ``passwords``."""
    keys = SubjectKeys(settings, databases)
    return CommandHandler(
        catalog,
        with_sagas(declared_domains(catalog), catalog),
        logs,
        dependencies=ActivityDependencies(settings, keys, processes, activities.installed(catalog)),
        passwords=passwords,
        conflict_retries=settings.conflict_retries,
        cache_bytes=settings.state_cache_bytes,
        max_record_bytes=settings.max_record_bytes,
    )


class CommandIssuer:
    """Handles commands of an operator's program in its own process."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._databases, self._processes = writer_databases(settings), BoundedProcesses()
        self._logs = open_logs(settings, catalog, self._databases)
        self._handler = make_handler(settings, catalog, self._logs, self._databases, self._processes)

    async def issue(self, command: Command, actor: str) -> Receipt:
        """Handles one command under a new id; raises the handler's errors."""
        id = uuid4()
        envelope = CommandEnvelope(data=command, id=id, at=now(), correlation_id=str(id), actor=actor)
        return await self._handler.handle(envelope)

    async def close(self) -> None:
        """Waits until relays are woken for the last appends, and closes every connection."""
        for log in self._logs.values():
            await log.drain()
        self._processes.close()
        await self._databases.close()
