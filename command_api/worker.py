"""The worker's process: takes commands in by topic, runs the policies, and tells processes the time."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from aggregates import system
from aggregates.policy import Policy
from command_api.app import make_handler, open_logs, writer_databases
from command_api.policies.runner import PolicyRunner
from command_api.sagas.timers import TimerClock
from command_api.topic_worker import TopicWorker
from schemas.catalog import Catalog, ContextName
from schemas.envelope import CommandEnvelope
from schemas.errors import CaudalError
from schemas.message import Command
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.timers import Timers
from streams.settings import Settings
from streams.subscriptions.store import SubscriptionStore
from streams.subscriptions.subscription import Subscription

GROUP = "policies"


class Worker:
    """Handles commands from topics, reacts to events, and has processes told of their timers."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._databases = writer_databases(settings)
        self._logs = logs = open_logs(settings, catalog, self._databases)
        self._sender = CommandSender(settings, catalog)
        self._handler = make_handler(settings, catalog, logs, self._databases)
        self._policies = [
            PolicyRunner(
                catalog,
                policy,
                logs,
                policy_stores(Installation(settings, catalog, self._databases), policy),
                self._sender,
                self._handle_here,
                self._handler.has_side_effects,
            )
            for side in system.installed(catalog).values()
            for policy in side.policies
        ]
        self._readers = Databases("caudal_reader", 1)
        kinds = [f"{system}.{one.name}" for system, side in system.installed(catalog).items() for one in side.sagas]
        self._clock = TimerClock(Timers(settings, self._readers), self._handler, kinds)
        self._intake = TopicWorker(settings, catalog, self._handler)
        self._subscription = Subscription(settings, catalog, GROUP, self._policies, logs)

    async def run(self) -> None:
        """Runs until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._intake.run())
                tasks.create_task(self._subscription.run())
                tasks.create_task(self._clock.run())
                for policy in self._policies:
                    tasks.create_task(policy.confirm())
        finally:
            await self._sender.close()
            await asyncio.gather(*(log.settle() for log in self._logs.values()))
            await self._databases.close()
            await self._readers.close()

    async def _handle_here(self, issued: CommandEnvelope[Command]) -> None:
        """Handles a command without its topic; a rejection is answered by its receipt, anything else comes up again."""
        with suppress(CaudalError):
            await self._handler.handle(issued, record_failure=True)

    async def why_not_ready(self) -> str | None:
        """Why it does not do all of its work yet, or ``None``."""
        return self._intake.why_not_ready() or self._subscription.why_not_ready()


def policy_stores(installation: Installation, policy: Policy) -> Mapping[ContextName, SubscriptionStore]:
    """Returns where a policy keeps its checkpoints and dead letters: beside each log that it follows."""
    return {
        context: SubscriptionStore.at(
            installation.settings, installation.log_store(context), policy.full_name, frozenset({context})
        )
        for context in {context for context, _ in installation.catalog.event_types(policy.reactions)}
    }
