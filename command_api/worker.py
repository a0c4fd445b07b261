"""The worker's process: handles commands from topics, runs the policies, and fires the timers of sagas."""

import asyncio
from contextlib import suppress

from aggregates.system import saga_inputs, with_sagas
from command_api.clock import CLOCK
from command_api.composition import make_handler, open_logs, writer_databases
from command_api.handling.passwords import Passwords
from command_api.incoming_topics import IncomingTopics
from command_api.policies.runner import PolicyRunner
from command_api.policies.stores import policy_stores
from command_api.timer_clock import TimerClock
from command_api.topic_worker import TopicWorker
from schemas.catalog import Catalog
from schemas.engine.sagas import CONTEXT, AdvanceSaga
from schemas.envelope import CommandEnvelope
from schemas.errors import Conflict, Rejected, Unavailable
from schemas.message import Command
from schemas.system import ENGINE, ContextName
from streams.bounded_processes import BoundedProcesses
from streams.commands.notes import CommandNotes
from streams.commands.sender import CommandSender
from streams.database.store import Store
from streams.discovery import declared_domains
from streams.installation import Installation, integration_store, served_contexts
from streams.log.timers import Timers
from streams.settings import Settings
from streams.subscriptions.process_deaths.turns import Turns
from streams.subscriptions.subscription import Subscription
from streams.telemetry.duties import Duties

GROUP = "policies"
_SAGAS = ContextName(ENGINE, CONTEXT)


class Worker:
    """Handles commands from topics, reacts to events, and fires the timers of sagas."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._databases, self._write_dsn = writer_databases(settings), settings.write_dsn
        self._logs = logs = open_logs(settings, catalog, self._databases)
        self._sender = CommandSender(settings, catalog)
        self._processes = BoundedProcesses()
        self._passwords = Passwords(settings.password_threads, settings.password_places)
        self._handler = make_handler(settings, catalog, logs, self._databases, self._processes, self._passwords)
        self._dsns = {settings.log_dsn(context) for context in served_contexts(settings, catalog)}
        installation = Installation(settings, catalog, self._databases)
        turns = Turns()
        domains = with_sagas(declared_domains(catalog), catalog)
        self._policies = [
            PolicyRunner(
                catalog,
                policy,
                logs,
                policy_stores(installation, policy),
                self._sender,
                self._handle_here,
                turns,
                self._handler.has_side_effects,
            )
            for domain in domains.values()
            for policy in domain.policies
        ]
        sagas = [saga.full_name for domain in domains.values() for saga in domain.sagas]
        timers = Timers(Store.of_log(self._databases, settings.log_dsn(_SAGAS), _SAGAS))
        notes = CommandNotes.of_contexts(installation, saga_inputs(domains, catalog))
        self._known_sagas = notes[_SAGAS].known
        served = served_contexts(settings, catalog)
        self._clock = TimerClock(timers, self._handler, sagas, self._known_sagas, turns) if _SAGAS in served else None
        self._topic_worker = TopicWorker(settings, catalog, self._handler, notes, turns)
        self._subscription = Subscription(settings, catalog, GROUP, self._policies, logs, turns)
        schemas = integration_store(settings, self._databases)
        self._incoming = IncomingTopics(settings, catalog, self._handler, self._sender, schemas)

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            async with Duties() as tasks:
                tasks.create_task(CLOCK.keep_compared(self._databases, self._write_dsn))
                tasks.create_task(self._topic_worker.run())
                tasks.create_task(self._subscription.run())
                if self._incoming.are_there:
                    tasks.create_task(self._incoming.run())
                if self._clock is not None:
                    tasks.create_task(self._clock.run())
                for policy in self._policies:
                    tasks.create_task(policy.confirm())
        finally:
            await self._sender.close()
            await asyncio.gather(*(log.drain() for log in self._logs.values()))
            self._processes.close()
            self._passwords.close()
            await self._databases.close()

    async def _handle_here(self, command: CommandEnvelope[Command]) -> None:
        """Handles a command without its topic; a rejection has its receipt, an outage recurs at the next attempt.

        An input of a saga that the version which migrated the database last defines otherwise is left to that version. Raises
        other errors, such as those that the code of a decision raises.
        """
        with suppress(Rejected, Unavailable, Conflict):
            if isinstance(command.data, AdvanceSaga) and await self._known_sagas.knows_saga_otherwise(command.data.saga):
                return
            await self._handler.handle(command)

    async def why_not_ready(self) -> str | None:
        """Returns why the worker does not do all of its work now, or ``None``."""
        out_of_reach = await self._databases.out_of_reach(self._dsns)
        parts = (self._topic_worker, self._subscription, self._incoming)
        return out_of_reach or next((why for part in parts if (why := part.why_not_ready()) is not None), None)
