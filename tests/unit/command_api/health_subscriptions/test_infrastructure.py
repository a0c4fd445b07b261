"""The infrastructure of a data service: made and removed for real; and failures that are simulated."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson

from aggregates.health_subscriptions.data_services import DataService
from command_api.handling.activities import Activity, ActivityContext
from command_api.health_subscriptions.infrastructure import ACTIVITIES, LOCAL, create, provision, remove
from command_api.health_subscriptions.simulated import fails
from schemas.health_subscriptions.data_services import ProvisionInfrastructure, ProvisionPlan, RemoveInfrastructure
from schemas.health_subscriptions.parts import data_service_id_of
from schemas.health_subscriptions.subscriptions import CreatePendingSubscription
from schemas.message import Command
from streams.settings import Settings
from tests.unit.aggregates.health_subscriptions.subscribers import CUSTOMER, PRO
from tests.unit.command_api.activity_context import context_of, sent

SUBSCRIPTION = UUID(int=7)
PROVISION = ProvisionInfrastructure(subscription_id=SUBSCRIPTION, customer_code="0001", plan_code="pro")


REMOVE = RemoveInfrastructure(subscription_id=SUBSCRIPTION)


def keeping(folder: Path | None, failures: float = 0, service: DataService | None = None) -> ActivityContext:
    url = None if folder is None else folder.as_uri()
    return replace(context_of(dataservice=service or DataService()), settings=Settings(files_url=url, demo_failures=failures))


async def test_a_folder_with_a_manifest_is_made_once_and_removed(tmp_path: Path) -> None:
    context, id = keeping(tmp_path), data_service_id_of(SUBSCRIPTION)
    manifest = tmp_path / "datasets" / str(id) / "manifest.json"

    for _ in range(2):
        outcome = await provision(sent(PROVISION), context)
        assert (outcome.cloud, outcome.problem) == (LOCAL, None)
    assert orjson.loads(manifest.read_bytes()) == {
        "data_service_id": str(id),
        "subscription_id": str(SUBSCRIPTION),
        "plan": "pro",
        "cloud": "local",
    }
    created = keeping(tmp_path, service=DataService(status="created"))
    for gone in ("none", "finished"):
        await remove(sent(REMOVE), keeping(tmp_path, service=DataService.model_validate({"status": gone})))
        assert manifest.exists()
    for _ in range(2):
        assert (await remove(sent(REMOVE), created)).reason == ""
    assert list(tmp_path.iterdir()) == []


def test_provision_and_removal_of_one_subscription_are_about_one_stream() -> None:
    about = {one.about.stream.name(one.about.key_of(sent(command)) or "") for one, command in _of_services() if one.about}

    assert about == {f"dataservice-{data_service_id_of(SUBSCRIPTION)}"}


def _of_services() -> Iterator[tuple[Activity[Any], Command]]:
    for one in ACTIVITIES:
        if one.command is not CreatePendingSubscription:
            yield one, REMOVE if one.command is RemoveInfrastructure else one.command(**dict(PROVISION))


async def test_a_service_that_exists_is_not_provided_again(tmp_path: Path) -> None:
    of_saga = ProvisionPlan(**dict(PROVISION))

    outcome = await provision(sent(of_saga), keeping(tmp_path, service=DataService(status="removed")))

    assert (outcome.cloud, outcome.is_of_saga) == (None, True)
    assert list(tmp_path.iterdir()) == []


async def test_without_a_place_for_files_nothing_can_be_provided() -> None:
    outcome = await provision(sent(PROVISION), keeping(None))

    assert outcome.cloud is None
    assert "set CAUDAL_FILES_URL" in (outcome.problem or "")
    await remove(sent(REMOVE), keeping(None, service=DataService(status="created")))


async def test_failures_are_simulated_for_a_share_of_the_commands(tmp_path: Path) -> None:
    ids = [uuid4() for _ in range(2000)]

    assert not any(fails(id, Settings()) for id in ids)
    assert all(fails(id, Settings(demo_failures=1)) for id in ids)
    share = sum(fails(id, Settings(demo_failures=0.25)) for id in ids) / len(ids)
    assert 0.2 < share < 0.3
    always = keeping(tmp_path, failures=1)
    assert (await provision(sent(PROVISION), always)).problem == "simulated failure"
    pending = CreatePendingSubscription(subscription_id=SUBSCRIPTION, customer=CUSTOMER, plan=PRO)
    assert (await create(sent(pending), always)).simulated_failure
    assert not (await create(sent(pending), keeping(None))).simulated_failure
