"""Events and commands of which a process dies: each costs at most four deaths, and holds up no other."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from aggregates.data_ingestion import processing, validation
from command_api.clock import now
from command_api.composition import open_logs
from command_api.policies.stores import policy_stores
from deploy.local.ports import free_ports
from schemas.catalog import Catalog
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.envelope import CommandEnvelope
from schemas.system import ContextName
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.relay.fair_share import FairShare
from streams.relay.relay import Relay
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.deliveries import all_handled, received_validated_and_processed
from tests.integration.fatal import EXIT_CODE
from tests.integration.running import Running, started
from tests.integration.spoilt import INGESTION, VALIDATION
from tests.integration.test_commands_by_topic import everything

POLICIES = (*validation.POLICIES, *processing.POLICIES)
DELIVERIES = 30
MAX_DEATHS = 4


class Restarted:
    """A process that is started again whenever it dies, as a supervisor does."""

    def __init__(self, settings: Settings, service: str, kind: ContextName | str, place: int | UUID) -> None:
        """It dies of the event of a context at a position, or of the ``"command"`` with an id."""
        self.deaths = 0
        self._command = (service, str(free_ports(1)[0]), str(kind), str(place))
        self._environment = os.environ | {
            "CAUDAL_WRITE_DSN": settings.write_dsn,
            "CAUDAL_BROKERS": settings.brokers,
            "CAUDAL_TOPIC_PREFIX": settings.topic_prefix,
            "CAUDAL_FETCH_BACKOFF": "true",
            "CAUDAL_SYSTEMS": ",".join(settings.systems),
        }

    async def run(self) -> None:
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.integration.fatal", *self._command, env=self._environment
            )
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.terminate()
                await process.wait()
                raise
            assert code == EXIT_CODE
            self.deaths += 1


@asynccontextmanager
async def relaying(settings: Settings, catalog: Catalog, databases: Databases) -> AsyncIterator[None]:
    contexts = [context for context in catalog.contexts if context.system == "data_ingestion"]
    share, installation = FairShare(contexts), Installation(settings, catalog, databases)
    tasks = [asyncio.create_task(Relay(installation, context, "one", share).run()) for context in contexts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def restarted(settings: Settings, service: str, kind: ContextName | str, place: int | UUID) -> AsyncIterator[Restarted]:
    found = Restarted(settings, service, kind, place)
    task = asyncio.create_task(found.run())
    try:
        yield found
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_event_of_which_projectors_die_is_parked_and_applied_once_the_code_is_repaired(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    logs = await received_validated_and_processed(settings, catalog, databases, DELIVERIES)
    victim = next(row for row in logs[INGESTION][10:] if row.type == "DataIngested")
    running = Running(settings, catalog, databases)
    dead_letters = running.projector.store.dead_letters

    async with relaying(settings, catalog, databases), restarted(settings, "projectors", INGESTION, victim.position) as fatal:
        await running.shows(DELIVERIES, 100)  # of the victim, what follows its other events

        async def is_parked() -> bool:
            return any(one.position == victim.position for one in await dead_letters.all())

        await eventually(is_parked)
        first, *waiting = sorted(await dead_letters.all(), key=lambda one: one.position or 0)
        assert (first.state, first.error) == ("parked", "ProcessDied: the process ended twice while handling it alone")
        assert {(one.stream, one.state) for one in waiting} <= {(victim.stream, "waiting")}
        assert 3 <= fatal.deaths <= MAX_DEATHS

        deaths = fatal.deaths
        await dead_letters.redrive([first])  # too early: the code is not repaired

        async def is_parked_again() -> bool:
            (now, *_) = sorted(await dead_letters.all(), key=lambda one: one.position or 0)
            return now.state == "parked" and now.error == "ProcessDied: the process ended while handling it again"

        await eventually(is_parked_again, 40)
        assert fatal.deaths == deaths + 1

    async with started(settings, catalog, databases) as repaired:
        await dead_letters.redrive(await dead_letters.all())

        async def is_applied() -> bool:
            return not await dead_letters.all() and repaired.subscription.why_not_ready() is None

        await eventually(is_applied)
        assert await repaired.is_verified()


async def test_an_event_of_which_policies_die_is_parked_and_the_others_have_their_commands(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    await all_handled(settings, catalog, databases, [ReceiveData(partner_id="p", payload={"n": n}) for n in range(DELIVERIES)])
    installation = Installation(settings, catalog, databases)
    ingestion = PostgresLog(installation.log_store(INGESTION), INGESTION)
    log = PostgresLog(installation.log_store(VALIDATION), VALIDATION)
    victim = next(row for row in (await ingestion.read(0, 1000))[10:] if row.type == "DataIngested")
    stores = [policy_stores(installation, policy.of("data_ingestion"))[INGESTION] for policy in POLICIES]

    async def validated() -> set[str]:
        return {row.stream for row in await log.read(0, 1000) if row.type == "DataValidated"}

    async with relaying(settings, catalog, databases), restarted(settings, "worker", INGESTION, victim.position) as fatal:

        async def others_are_validated() -> bool:
            return len(await validated()) == DELIVERIES - 1

        await eventually(others_are_validated, 100)

        async def is_parked() -> bool:
            found = [await store.dead_letters.all() for store in stores]
            return [[(one.position, one.state) for one in own] for own in found] == [[(victim.position, "parked")]] * 2

        await eventually(is_parked, 60, "a dead letter of each policy")
        assert 3 <= fatal.deaths <= 2 * MAX_DEATHS, "both policies react to the event"


async def test_a_command_of_which_workers_die_is_parked_and_the_others_are_handled(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    await ensure_topics(settings, catalog)
    sender, log = CommandSender(settings, catalog), open_logs(settings, catalog, databases)[INGESTION]
    ids = [uuid4() for _ in range(DELIVERIES)]
    commands = [
        CommandEnvelope(data=ReceiveData(partner_id="p", payload={"n": n}), id=id, at=now(), correlation_id="c")
        for n, id in enumerate(ids)
    ]
    await sender.send([(INGESTION, command, f"key-{n % 7}") for n, command in enumerate(commands)])
    others = [id for n, id in enumerate(ids) if n != 10]

    async with restarted(settings, "worker", "command", ids[10]) as fatal:

        async def others_are_handled() -> bool:
            return await log.answers(ids) == dict.fromkeys(others)

        await eventually(others_are_handled, 100)
        (parked,) = await everything(settings, Topics(settings, catalog).dead_letters(INGESTION), 1)
        assert dict(parked.headers)["ce_id"] == str(ids[10]).encode()
        assert dict(parked.headers)["dead_letter_error"] == b"ProcessDied: the process ended twice while handling it alone"
        assert 3 <= fatal.deaths <= MAX_DEATHS
    await sender.close()
