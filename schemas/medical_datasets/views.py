"""The views of the medical datasets: requests, patients, Parquet files, datasets and mail."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from schemas.access import Access
from schemas.medical_datasets.parts import PRIVACY
from schemas.notifications.view import NotificationRow
from schemas.sensitive import Encrypted
from schemas.view import View

RequestStatus = Literal["started", "anonymised", "failed", "rolled_back"]
ParquetStatus = Literal["started", "mapped", "failed", "rolled_back"]
DatasetStatus = Literal["pending", "in_progress", "finished", "failed", "rolled_back"]


class AnonymisationRequests(
    View, context="anonymisation", key="saga_id", indexes=("status", "started_at"), access=Access(open_in_seed=True)
):
    """A request to anonymise an image, with what is recorded of it."""

    saga_id: UUID
    token: UUID | None = None
    status: RequestStatus = "started"
    reason: str | None = Field(default=None, description="Why it failed.")
    file: dict[str, JsonValue] | None = None
    started_at: datetime | None = None
    updated_at: datetime | None = None


class PatientLinks(View, context="anonymisation", key="token", indexes=("linked_at",), access=PRIVACY, subject="token"):
    """The patient to whom a token belongs."""

    token: UUID
    saga_id: UUID | None = None
    record_id: Encrypted = None
    name: Encrypted = None
    address: Encrypted = None
    phone: Encrypted = None
    linked_at: datetime | None = None


class Parquets(
    View, context="mapping", key="parquet_id", indexes=("status", "mapped_at", "token"), access=Access(open_in_seed=True)
):
    """A packet as a Parquet file."""

    parquet_id: UUID
    token: UUID | None = None
    packet: dict[str, JsonValue] = Field(default_factory=dict)
    status: ParquetStatus = "started"
    reason: str | None = None
    file: dict[str, JsonValue] | None = None
    mapped_at: datetime | None = None


class Datasets(
    View,
    context="processing",
    key="packet_id",
    indexes=("status", "created_at"),
    access=Access(open_in_seed=True),
    subject="subject",
):
    """A dataset."""

    packet_id: str
    subject: UUID | None = Field(default=None, description="The data subject of a record's id that a client gave.")
    saga_id: UUID | None = None
    token: UUID | None = None
    record_id: Encrypted = None
    packet: dict[str, JsonValue] = Field(default_factory=dict)
    status: DatasetStatus = "pending"
    reason: str | None = None
    created_at: datetime | None = None


class Notifications(
    NotificationRow,
    context="notifications",
    key="notification_id",
    indexes=("status", "cause"),
    access=Access.to("auditor", "operator"),
):
    """Mail to the operator."""


VIEWS: tuple[type[View], ...] = (AnonymisationRequests, PatientLinks, Parquets, Datasets, Notifications)
