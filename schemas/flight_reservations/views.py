"""The views of the flight reservations: reservations, customers and notifications."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field, JsonValue

from schemas.access import Access, RowAccess
from schemas.flight_reservations.customers import MANAGERS
from schemas.flight_reservations.parts import Kind
from schemas.flight_reservations.reservations import OFFICERS, Status
from schemas.notifications.view import NotificationRow
from schemas.sensitive import Encrypted
from schemas.view import View


class Reservations(
    View,
    context="reservations",
    key="reservation_id",
    indexes=("status", "customer_id", "created_at"),
    access=Access(open_in_seed=True),
    rows=RowAccess(owners=("customer_id",), all_rows=OFFICERS.roles, open_rows=True),
):
    """A reservation, or a request that was rejected, visible to its customer and to officers."""

    reservation_id: UUID
    customer_id: UUID | None = None
    status: Status = "pending"
    reason: str | None = Field(default=None, description="Why it was rejected.")
    itineraries: list[dict[str, JsonValue]] = Field(default_factory=list)
    passengers: list[dict[str, JsonValue]] = Field(default_factory=list)
    flight_types: tuple[str, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Customers(
    View,
    context="customers",
    key="customer_id",
    indexes=("status",),
    access=Access(),
    rows=RowAccess(owners=("customer_id",), all_rows=MANAGERS.roles),
    subject="customer_id",
):
    """A customer, visible to the customer and to managers."""

    customer_id: UUID
    kind: Kind | None = None
    first_names: Encrypted = None
    last_names: Encrypted = None
    email: Encrypted = None
    number: Encrypted = None
    city: Encrypted = None
    date: Encrypted = None
    status: Literal["active", "deactivated"] = "active"
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Notifications(
    NotificationRow,
    context="notifications",
    key="notification_id",
    indexes=("status", "cause"),
    access=Access.to("auditor", "operator"),
):
    """Mail to a customer."""


VIEWS = (Reservations, Customers, Notifications)
