"""Subscriptions as they run: fed by a relay through the broker, paused and reset by operators."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.operations.subscriptions import control
from schemas.catalog import Catalog
from schemas.errors import ConsumerStopped, DeadLettersFull, Rejected
from schemas.system import ContextName
from streams.broker.clients import started_producer
from streams.broker.faust_consumer import FaustConsumer
from streams.broker.topic_names import Topics
from streams.database.pools import Databases
from streams.settings import Settings
from streams.subscriptions.subscriber import Batch
from streams.subscriptions.watchdog import LAG
from tests.conftest import eventually
from tests.integration.recorder import Recorder
from tests.integration.running import NAME, Running, started
from tests.operating import operate, said


@pytest.fixture
async def running(settings: Settings, catalog: Catalog, databases: Databases) -> AsyncIterator[Running]:
    async with started(settings, catalog, databases) as found:
        yield found


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as a command reads them."""
    monkeypatch.setenv("CAUDAL_WRITE_DSN", settings.write_dsn)
    return Settings(brokers=settings.brokers, fetch_backoff=True, topic_prefix=settings.topic_prefix)


async def test_nothing_is_left_in_the_folder_it_runs_in(
    settings: Settings, catalog: Catalog, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with started(settings, catalog, databases) as running:
        await running.add(5)
        await running.shows(5)

    assert list(tmp_path.iterdir()) == []


class Unwilling(Recorder):
    """A subscriber that handles nothing until a test allows it."""

    name = "test.unwilling"
    is_willing = False

    async def handle(self, batches: Sequence[Batch]) -> None:
        if not self.is_willing:
            raise DeadLettersFull("there is no room")
        await super().handle(batches)


async def test_a_blocked_subscriber_holds_no_other_up_and_catches_up_later(
    settings: Settings, catalog: Catalog, databases: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    unwilling = Unwilling(settings, catalog, databases)
    async with started(settings, catalog, databases, [unwilling]) as running:
        for expected in (20, 40):
            await running.add(20)
            await running.shows(expected)
        assert unwilling.handled == []

        async def is_reported() -> bool:
            return "subscription blocked" in capsys.readouterr().out

        await eventually(is_reported, what="an operator sees it")
        unwilling.is_willing = True
        await running.add(5)
        heads = {context: (await running.logs[context].head()).position for context in unwilling.contexts}

        async def has_all() -> bool:
            return len(unwilling.handled) == sum(heads.values())

        await eventually(has_all, what="everything was taken")
        assert len(set(unwilling.handled)) == len(unwilling.handled)


async def test_a_partition_that_comes_or_goes_is_invalidated(
    settings: Settings, catalog: Catalog, databases: Databases
) -> None:
    unwilling = Unwilling(settings, catalog, databases)
    subscription = Running(settings, catalog, databases, [unwilling]).subscription
    context = ContextName("data_ingestion", "ingestion")
    topic = Topics(settings, catalog).events(context)

    for assigned, invalidated in (({0, 1}, {0, 1}), ({1, 2}, {0, 2}), ({1, 2}, set())):
        unwilling.invalidated.clear()
        subscription._note_assignment([(topic, partition) for partition in assigned], is_member=True)
        assert unwilling.invalidated == {(context, partition) for partition in invalidated}


async def test_in_healthy_running_nothing_comes_from_the_log(running: Running) -> None:
    for expected in (20, 40, 60):
        await running.add(20)
        await running.shows(expected)

    assert running.gap_filled == 0
    assert await running.is_verified()


async def test_a_paused_subscription_continues_from_its_checkpoint(
    settings: Settings, catalog: Catalog, databases: Databases, environment: Settings
) -> None:
    async with started(settings, catalog, databases, stall_seconds=3) as running:
        await running.add(10)
        await running.shows(10)

        await operate(control.PAUSE, control.Pause(subscription=NAME), environment)
        await running.add(10)
        await asyncio.sleep(5)  # longer than the watchdog waits
        assert await running.count() == 10
        lags = [sample.value for metric in LAG.collect() for sample in metric.samples if sample.labels["subscription"] == NAME]
        assert max(lags) > 0, "an operator who looks at metrics alone has to see it"

        await operate(control.RESUME, control.Pause(subscription=NAME), environment)
        await running.add(5)
        await running.shows(25)
        assert running.gap_filled == 0
        assert await running.is_verified()


async def test_a_view_that_is_reset_to_its_beginning_is_filled_again(running: Running, environment: Settings) -> None:
    await running.add(20)
    await running.shows(20)
    async with running.databases.connection(environment.write_dsn) as connection:
        await connection.execute("update data_ingestion__ingestion__views.records set partner_id = 'spoilt'")
    assert not await running.is_verified()
    wanted = control.Reset(subscription=NAME, to="beginning")

    with pytest.raises(Rejected, match="rows of the view would see events twice"):
        await operate(control.RESET, control.Reset(subscription=NAME, to="7"), environment)
    await operate(control.RESET, wanted, environment)

    await running.shows(20)
    await eventually(running.is_verified)
    assert running.gap_filled == 0


async def test_a_dry_run_changes_nothing(running: Running, environment: Settings) -> None:
    await running.add(10)
    await running.shows(10)

    async def is_at_the_end() -> bool:
        positions = await running.projector.store.checkpoints.all()
        heads = {context: (await running.logs[context].head()).partitions for context in running.projector.contexts}
        return all(positions.get(context, {}).get(n, 0) == head for context, own in heads.items() for n, head in enumerate(own))

    await eventually(is_at_the_end)
    before = await running.projector.store.checkpoints.all()
    beyond = control.Reset(subscription=NAME, to="10000")
    with pytest.raises(Rejected, match="beyond the end of the log"):
        await operate(control.RESET, beyond, environment)

    tried = await operate(control.RESET, control.Reset(subscription=NAME, to="beginning"), environment, apply=False)

    assert await running.projector.store.checkpoints.all() == before
    assert await running.count() == 10
    assert tried.state == "planned"
    assert "will be emptied" in said(tried)


async def test_foreign_records_are_parked_and_hold_no_event_up(running: Running) -> None:
    topic = Topics(running.settings, running.catalog).events(ContextName("data_ingestion", "ingestion"))
    await running.add(5)
    await running.shows(5)
    producer = await started_producer(running.settings)
    for value, name in ((b"garbage", "ce_position"), (b"{}", "ce_timeline")):
        await producer.send_and_wait(topic, value, b"k", partition=1, headers=[(name, b"9" * 5000)])
    await producer.stop()
    await running.add(5)
    await running.shows(10)

    dead_letters = await running.projector.store.dead_letters.all()

    assert [(dead_letter.key, dead_letter.value, dead_letter.state, dead_letter.position) for dead_letter in dead_letters] == [
        (b"k", b"garbage", "parked", None), (b"k", b"{}", "parked", None),
    ]  # fmt: skip
    assert dead_letters[0].origin.startswith(f"{topic}/1@")
    assert await running.is_verified()


async def test_a_stopped_consumer_is_replaced_by_the_log_and_then_ends_its_process(
    settings: Settings, catalog: Catalog, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def swallow(self: FaustConsumer, stream: Any) -> None:
        async for _ in stream.noack().events():
            await asyncio.Event().wait()

    monkeypatch.setattr(FaustConsumer, "_collect", swallow)
    running = Running(settings.model_copy(update={"stall_seconds": 0.6}), catalog, databases)
    relays = [asyncio.create_task(relay.run()) for relay in running.relays]
    await running.add(10)

    async def keep_adding() -> None:
        while True:
            await asyncio.sleep(0.5)
            await running.add(1)

    relays.append(asyncio.create_task(keep_adding()))
    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.timeout(60):
            await running.subscription.run()

    assert raised.group_contains(ConsumerStopped)
    assert await running.count() >= 10, "it was read from the log meanwhile"
    assert running.gap_filled > 0
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
