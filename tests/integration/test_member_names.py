"""A consumer whose name the broker answers with no assignment: it leaves the group, and joins it anew."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.protocol.group import LeaveGroupRequest

from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.broker.clients import OUTAGES
from streams.broker.faust_consumer import FaustConsumer
from streams.broker.provisioning import ensure_topics
from streams.broker.topic_names import Topics
from streams.commands.consumer import CommandConsumer
from streams.settings import Settings
from tests.conftest import eventually
from tests.integration.at_work import at_work

CONTEXT = ContextName("data_ingestion", "ingestion")


class Names:
    """The names of which the broker has no assignment, and the members that have left."""

    def __init__(self) -> None:
        self.without_assignment: set[str] = set()
        self.left = 0


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Empties the broker's answers to some names until they leave."""
    names = Names()
    join, send = CoordinatorGroupRebalance.perform_group_join, GroupCoordinator._send_req

    async def perform_group_join(rebalance: Any) -> Any:
        joined = await join(rebalance)
        is_known = rebalance._coordinator._group_instance_id not in names.without_assignment
        return joined if joined is None or is_known else (joined[0], b"")

    async def send_request(coordinator: Any, request: Any) -> Any:
        answer = await send(coordinator, request)
        if isinstance(request, LeaveGroupRequest) and answer.error_code == 0:
            names.left += 1
            names.without_assignment.clear()
        return answer

    monkeypatch.setattr(CoordinatorGroupRebalance, "perform_group_join", perform_group_join)
    monkeypatch.setattr(GroupCoordinator, "_send_req", send_request)
    return names


async def test_a_consumer_of_commands(settings: Settings, catalog: Catalog, names: Names) -> None:
    consumer = CommandConsumer(settings.model_copy(update={"contexts": [str(CONTEXT)]}), catalog, "commands")
    names.without_assignment.add(f"commands-{settings.instance}")

    async def handle(_: object) -> None: ...

    async def is_ready() -> bool:
        return consumer.why_not_ready() is None

    async with at_work(consumer.run(handle, lambda: None)):
        await eventually(is_ready, 30)
    assert names.left == 1


async def test_a_consumer_of_events(settings: Settings, catalog: Catalog, names: Names) -> None:
    await ensure_topics(settings, catalog)
    assigned: set[tuple[str, int]] = set()

    async def deliver(_: object) -> None: ...

    def note(partitions: Iterable[tuple[str, int]], _: bool) -> None:
        assigned.update(partitions)

    topic = Topics(settings, catalog).events(CONTEXT)
    consumer = FaustConsumer(settings, "test", {topic: 4}, deliver, note)
    names.without_assignment.add(f"test-{settings.instance}")

    async def run() -> None:
        while True:
            with suppress(*OUTAGES):  # Faust waits for the group for half a minute
                await consumer.run()

    async def has_all() -> bool:
        return len(assigned) == 4

    async with at_work(run()):
        await eventually(has_all, 60)
    assert names.left == 1
