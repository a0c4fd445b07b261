"""The views of the health subscriptions: subscriptions, data services, images and notifications."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from schemas.access import Access, RowAccess
from schemas.health_subscriptions.roles import MANAGERS, PRIVACY
from schemas.notifications.view import NotificationRow
from schemas.sensitive import Encrypted
from schemas.view import View


class Subscriptions(
    View,
    context="subscriptions",
    key="subscription_id",
    indexes=("status", "customer_id"),
    access=Access(open_in_seed=True),
    rows=RowAccess(owners=("customer_id",), all_rows=MANAGERS.roles, open_rows=True),
    subject="customer_id",
):
    """A subscription with its customer and invoices, visible to the customer and to managers."""

    subscription_id: UUID
    customer_id: UUID | None = None
    customer_code: str | None = None
    first_names: Encrypted = None
    last_names: Encrypted = None
    username: Encrypted = None
    tax_id: Encrypted = None
    national_id: Encrypted = None
    email: Encrypted = None
    plan_code: str | None = None
    plan_name: str | None = None
    status: Literal["pending", "active", "cancelled", "removed"] = "pending"
    invoices: list[dict[str, JsonValue]] = Field(default_factory=list)
    created_at: datetime | None = None
    updated_at: datetime | None = None


class DataServices(
    View,
    context="data_services",
    key="data_service_id",
    indexes=("subscription_code", "status"),
    access=MANAGERS,
):
    """A data service, without what is known of its expert but the code."""

    data_service_id: UUID
    subscription_code: str | None = None
    customer_code: str | None = None
    plan_code: str | None = None
    plan_name: str | None = None
    cloud_code: str | None = None
    cloud_name: str | None = None
    dataset_code: str | None = None
    dataset_name: str | None = None
    expert_code: str | None = None
    external_id: str | None = None
    status: Literal["created", "started", "finished", "removed"] = "created"
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Images(View, context="imaging", key="number", indexes=("image_id",)):
    """An image without its patient, by the position of its event."""

    number: int
    image_id: str | None = None
    modality: str | None = None
    pathology: str | None = None
    anatomical_region: str | None = None
    image_format: str | None = None
    patient_id: UUID | None = None
    ingested_year: int | None = None
    file: dict[str, JsonValue] | None = Field(default=None, description="What is known of its DICOM file; null without one.")


class ImageRequests(View, context="imaging", key="request_id"):
    """An image that was sent, and whether it was recorded; of one with a file it may take some time."""

    request_id: UUID
    image_id: str | None = None
    status: Literal["recorded", "postponed", "quarantined", "discarded", "rejected"] = "recorded"
    number: int | None = Field(default=None, description="The number of the recorded image.")
    reason: str | None = None


class QuarantinedImages(View, context="imaging", key="quarantine_id", indexes=("status",), access=PRIVACY):
    """An image that may show a person, and whether it was released or discarded."""

    quarantine_id: UUID
    image_id: str | None = None
    modality: str | None = None
    pathology: str | None = None
    anatomical_region: str | None = None
    image_format: str | None = None
    file: dict[str, JsonValue] | None = Field(default=None, description="What is known of its file; null when it is deleted.")
    status: Literal["quarantined", "released", "discarded"] = "quarantined"
    quarantined_at: datetime | None = None


class Notifications(
    NotificationRow,
    context="notifications",
    key="notification_id",
    indexes=("status", "cause"),
    access=Access.to("auditor", "operator"),
):
    """Mail to a customer."""


VIEWS = (Subscriptions, DataServices, Images, ImageRequests, QuarantinedImages, Notifications)
