"""The infrastructure of a data service: a folder of its own among the files, with a manifest; and its removal."""

from uuid import UUID

import orjson

from aggregates.health_subscriptions.data_services import DATA_SERVICE, DataService
from command_api.handling.activities import Activity, ActivityContext
from command_api.health_subscriptions.simulated import fails
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured
from schemas.health_subscriptions.data_services import (
    Cloud,
    ProvisionInfrastructure,
    ProvisionPlan,
    RecordProvisioning,
    RecordRemoval,
    RemoveInfrastructure,
)
from schemas.health_subscriptions.parts import data_service_id_of
from schemas.health_subscriptions.subscriptions import CreatePendingSubscription
from streams.integrations.files import Files

LOCAL = Cloud(code="local", name="LOCAL", type="privada")


async def provision(command: CommandEnvelope[ProvisionInfrastructure], context: ActivityContext) -> RecordProvisioning:
    """Writes the manifest of a data service; the same one at a repeat. Raises `Unavailable`."""
    data = command.data
    outcome = RecordProvisioning(
        subscription_id=data.subscription_id,
        customer_code=data.customer_code,
        plan_code=data.plan_code,
        cloud=None,
        is_of_saga=isinstance(data, ProvisionPlan),
    )
    if (await _service(data.subscription_id, context)).status != "none":
        return outcome
    if fails(command.id, context.settings):
        return outcome.model_copy(update={"problem": "simulated failure"})
    id = data_service_id_of(data.subscription_id)
    manifest = {"data_service_id": id, "subscription_id": data.subscription_id, "plan": data.plan_code, "cloud": LOCAL.code}
    try:
        await Files.of(context.settings).put(f"datasets/{id}/manifest.json", orjson.dumps(manifest))
    except Misconfigured as error:
        return outcome.model_copy(update={"problem": error.detail})
    return outcome.model_copy(update={"cloud": LOCAL})


async def remove(command: CommandEnvelope[RemoveInfrastructure], context: ActivityContext) -> RecordRemoval:
    """Deletes the files of a data service; raises `Unavailable`."""
    data = command.data
    exists = (await _service(data.subscription_id, context)).status not in ("none", "finished")
    if exists and context.settings.files_url is not None:
        files = Files.of(context.settings)
        async for key in files.keys(f"datasets/{data_service_id_of(data.subscription_id)}"):
            await files.delete(key)
    return RecordRemoval(subscription_id=data.subscription_id, reason=data.reason)


async def _service(subscription_id: UUID, context: ActivityContext) -> DataService:
    return await context.load(DATA_SERVICE, str(data_service_id_of(subscription_id)))


async def create(command: CommandEnvelope[CreatePendingSubscription], context: ActivityContext) -> CreatePendingSubscription:
    """Returns the command, which fails if failures are simulated and its id says so."""
    return command.data.model_copy(update={"simulated_failure": fails(command.id, context.settings)})


def _of_subscription(command: CommandEnvelope[ProvisionInfrastructure | RemoveInfrastructure]) -> str:
    return str(data_service_id_of(command.data.subscription_id))


_ABOUT = DATA_SERVICE.at(_of_subscription)
ACTIVITIES = (
    Activity(ProvisionInfrastructure, provision, about=_ABOUT),
    Activity(ProvisionPlan, provision, about=_ABOUT),
    Activity(RemoveInfrastructure, remove, about=_ABOUT),
    Activity(CreatePendingSubscription, create, has_side_effects=False),
)
