"""The worker's process: takes commands in by topic, and runs the policies."""

import asyncio

from aggregates import write_side
from command_api.app import make_handler, open_logs, writer_databases
from command_api.intake import Intake
from command_api.policies import PolicyRunner
from schemas.catalog import Catalog
from streams.command_topics import CommandSender
from streams.policy_checkpoints import PolicyCheckpoints
from streams.settings import Settings
from streams.subscription import Subscription

GROUP = "policies"


async def run(settings: Settings, catalog: Catalog) -> None:
    """Handles commands from topics and reacts to events, until cancelled."""
    databases = writer_databases(settings)
    logs = open_logs(settings, catalog, databases)
    sender = CommandSender(settings, catalog)
    checkpoints = PolicyCheckpoints(settings, databases)
    policies = [
        PolicyRunner(catalog, system, policy, logs, checkpoints, sender)
        for system, side in write_side.installed().items()
        for policy in side.policies
    ]
    intake = Intake(settings, catalog, make_handler(settings, catalog, logs))
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(intake.run())
            tasks.create_task(Subscription(settings, catalog, GROUP, policies, logs).run())
            for policy in policies:
                tasks.create_task(policy.confirm())
    finally:
        await sender.close()
        await databases.close()
