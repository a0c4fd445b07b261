"""Data services: created, started with an expert, finished, and taken back."""

from typing import Any, Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Events
from aggregates.state import State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.health_subscriptions.data_services import (
    EXISTS,
    NO_DATA_SERVICE,
    NO_EXPERT,
    WRONG_STATE,
    AssignExpert,
    CreateDataService,
    DataServiceChangeRejected,
    DataServiceCreated,
    DataServiceFinished,
    DataServiceStarted,
    Dataset,
    Expert,
    ExpertAssigned,
    FinishDataService,
    InfrastructureCreated,
    InfrastructureNotCreated,
    InfrastructureRemoved,
    RecordProvisioning,
    RecordRemoval,
    StartDataService,
)
from schemas.health_subscriptions.parts import Plan, data_service_id_of
from schemas.message import Event


class DataService(State):
    """A data service."""

    status: Literal["none", "created", "started", "finished", "removed"] = "none"
    subscription_id: UUID | None = None
    expert: str | None = None


def evolve(service: DataService, event: Event) -> DataService:
    match event:
        case DataServiceCreated(subscription_id=subscription_id):
            return DataService(status="created", subscription_id=subscription_id)
        case ExpertAssigned(expert=expert):
            return service.replace(expert=expert.code)
        case DataServiceStarted():
            return service.replace(status="started")
        case DataServiceFinished():
            return service.replace(status="finished")
        case InfrastructureRemoved():
            return service.replace(status="removed")
    return service


def _of_subscription(command: CommandEnvelope[RecordProvisioning | RecordRemoval]) -> str:
    return str(data_service_id_of(command.data.subscription_id))


DATA_SERVICE = Stream("dataservice", DataService, evolve)


def create(command: CommandEnvelope[CreateDataService]) -> Events:
    """Creates a data service, with its expert if one is named."""
    data = command.data
    yield DataServiceCreated(
        data_service_id=command.id,
        subscription_id=None,
        subscription_code=data.subscription_code,
        customer_code=data.customer_code,
        plan=data.plan,
        cloud=data.cloud,
        dataset=data.dataset,
        external_id=data.external_id,
        expert_code=data.expert_code if data.expert_code.strip() else None,
    )
    if data.expert_code.strip():
        yield ExpertAssigned(data_service_id=command.id, subscription_id=None, expert=_expert(data, data.expert_code))


def record_provisioning(command: CommandEnvelope[RecordProvisioning], service: DataService) -> Events:
    """Records the infrastructure of a subscription, once, or why there is none."""
    data = command.data
    ids: dict[str, Any] = {
        "data_service_id": data_service_id_of(data.subscription_id),
        "subscription_id": data.subscription_id,
    }
    if service.status != "none":
        if data.is_of_saga:
            raise Rejected(EXISTS)  # so that the saga does not compensate what is not its own
        yield InfrastructureNotCreated(**ids, reason=EXISTS)
    elif data.cloud is None:
        yield InfrastructureNotCreated(**ids, reason=data.problem or "")
    else:
        yield DataServiceCreated(
            **ids,
            subscription_code=str(data.subscription_id),
            customer_code=data.customer_code,
            plan=Plan(code=data.plan_code),
            cloud=data.cloud,
            dataset=Dataset(),
            external_id=None,
        )
        yield InfrastructureCreated(**ids)


def record_removal(command: CommandEnvelope[RecordRemoval], service: DataService) -> Events:
    """Records that what was provided is gone, once."""
    if service.status in ("none", "finished", "removed"):
        return
    id = data_service_id_of(command.data.subscription_id)
    yield InfrastructureRemoved(data_service_id=id, subscription_id=command.data.subscription_id, reason=command.data.reason)


def assign_expert(command: CommandEnvelope[AssignExpert], service: DataService) -> Events:
    """Assigns an expert until the service is finished, or records why not."""
    data = command.data
    if service.status in ("created", "started"):
        yield ExpertAssigned(
            data_service_id=data.data_service_id, subscription_id=service.subscription_id, expert=_expert(data, data.code)
        )
    else:
        yield _rejected(data.data_service_id, service, "assign-expert", _why_not(service))


def start(command: CommandEnvelope[StartDataService], service: DataService) -> Events:
    """Starts a service that has an expert, or records why not."""
    id = command.data.data_service_id
    if service.status == "created" and service.expert is not None:
        yield DataServiceStarted(data_service_id=id, subscription_id=service.subscription_id)
    else:
        yield _rejected(id, service, "start", NO_EXPERT if service.status == "created" else _why_not(service))


def finish(command: CommandEnvelope[FinishDataService], service: DataService) -> Events:
    """Finishes a service that was started, or records why not."""
    data = command.data
    if service.status == "started":
        yield DataServiceFinished(
            data_service_id=data.data_service_id, subscription_id=service.subscription_id, reason=data.reason
        )
    else:
        yield _rejected(data.data_service_id, service, "finish", _why_not(service))


def _expert(data: CreateDataService | AssignExpert, code: str) -> Expert:
    return Expert(
        code=code,
        first_names=data.first_names,
        last_names=data.last_names,
        username=data.username,
        national_id=data.national_id,
        email=data.email,
    )


def _why_not(service: DataService) -> str:
    return NO_DATA_SERVICE if service.status in ("none", "removed") else WRONG_STATE


def _rejected(id: UUID, service: DataService, operation: str, reason: str) -> DataServiceChangeRejected:
    return DataServiceChangeRejected(
        data_service_id=id, subscription_id=service.subscription_id, operation=operation, reason=reason
    )


DECISIONS: Decisions = (
    Decision(CreateDataService, DATA_SERVICE.create(), create),
    Decision(RecordProvisioning, DATA_SERVICE.create_or_change(_of_subscription, usually_new=True), record_provisioning),
    Decision(RecordRemoval, DATA_SERVICE.create_or_change(_of_subscription), record_removal),
    Decision(AssignExpert, DATA_SERVICE.create_or_change("data_service_id"), assign_expert),
    Decision(StartDataService, DATA_SERVICE.create_or_change("data_service_id"), start),
    Decision(FinishDataService, DATA_SERVICE.create_or_change("data_service_id"), finish),
)
