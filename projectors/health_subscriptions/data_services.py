"""Data services: a row for each."""

from typing import Any

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.health_subscriptions.data_services import (
    DataServiceCreated,
    DataServiceFinished,
    DataServiceStarted,
    ExpertAssigned,
    InfrastructureRemoved,
)
from schemas.health_subscriptions.views import DataServices


def data_service(row: DataServices, event: RecordedEvent[Any]) -> DataServices:
    row = row.replace(updated_at=event.recorded_at)
    match event.data:
        case DataServiceCreated() as created:
            return row.replace(
                subscription_code=created.subscription_code,
                customer_code=created.customer_code,
                plan_code=created.plan.code,
                plan_name=created.plan.name,
                cloud_code=created.cloud.code,
                cloud_name=created.cloud.name,
                dataset_code=created.dataset.code,
                dataset_name=created.dataset.name,
                external_id=created.external_id,
                created_at=event.recorded_at,
            )
        case ExpertAssigned(expert=expert):
            return row.replace(expert_code=expert.code)
        case DataServiceStarted():
            return row.replace(status="started")
        case DataServiceFinished():
            return row.replace(status="finished")
        case InfrastructureRemoved():
            return row.replace(status="removed")
    return row


PROJECTIONS = (
    Projection(
        DataServices,
        data_service,
        events=(DataServiceCreated, ExpertAssigned, DataServiceStarted, DataServiceFinished, InfrastructureRemoved),
    ),
)
