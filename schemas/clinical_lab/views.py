"""The laboratory's views: users, results, who read them, and notifications. Each row is visible to the users it is about."""

from datetime import datetime
from uuid import UUID

from pydantic import Field, JsonValue

from schemas.access import Access, RowAccess
from schemas.engine.sagas import StepStatus
from schemas.notifications.view import NotificationRow
from schemas.sensitive import Encrypted
from schemas.view import View

_AUDITORS = frozenset({"auditor"})


class Users(
    View,
    context="users",
    key="user_id",
    indexes=("number",),
    access=Access(),
    rows=RowAccess(owners=("user_id",), all_rows=_AUDITORS),
    subject="user_id",
):
    """A user."""

    user_id: UUID
    number: int = 0
    username: Encrypted = None
    email: Encrypted = None
    role: str | None = None
    created_at: datetime | None = None
    last_login_at: datetime | None = None


class ListedUsers(
    View,
    context="users",
    key="number",
    indexes=("user_id",),
    rows=RowAccess(owners=("user_id",), all_rows=_AUDITORS, open_rows=True),
    subject="user_id",
    own_paths_only=True,  # that path records each listing
):
    """A user as the list shows it: no address, no password. In the profile `seed` every caller sees all of them."""

    number: int
    user_id: UUID | None = None
    username: Encrypted = None
    role: str | None = None


class Results(
    View,
    context="results",
    key="result_id",
    indexes=("number", "patient_id", "clinician_id"),
    access=Access.to("clinician", "patient"),
    rows=RowAccess(owners=("patient_id", "clinician_id")),
    subject="patient_id",
    own_paths_only=True,  # those paths record each reading
):
    """A patient's result, visible to the patient and the clinician."""

    result_id: UUID
    number: int = 0
    patient_id: UUID | None = None
    clinician_id: str | None = None
    patient: Encrypted = None
    result: Encrypted = None
    recorded_at: datetime | None = None


class ResultQueries(
    View,
    context="results",
    key="query_id",
    indexes=("result_id", "patient_id", "queried_at"),
    access=Access(),
    rows=RowAccess(owners=("patient_id", "queried_by"), all_rows=_AUDITORS),
):
    """One reading of a result by a user."""

    query_id: UUID
    result_id: UUID | None = None
    number: int = 0
    patient_id: UUID | None = None
    queried_by: str | None = None
    queried_at: datetime | None = None


class SagaEntries(
    View,
    context="users",
    key="entry_id",
    indexes=("position", "actor", "reference_ids"),
    rows=RowAccess(owners=("actor", "reference_ids"), all_rows=_AUDITORS | {"operator"}, open_rows=True),
    own_paths_only=True,
):
    """An event of one of the laboratory's sagas, without the texts that are encrypted."""

    entry_id: str
    position: int = 0
    """Position of the saga's first step with it, by which entries are ordered."""
    saga: str | None = None
    event_type: str | None = None
    status: StepStatus = "received"
    data: dict[str, JsonValue] = Field(default_factory=dict)
    """The event, with null in the place of each encrypted text: who reads a result is recorded where it is read."""
    reference_ids: tuple[str, ...] = ()
    actor: str | None = None
    """The caller who caused the event."""
    created_at: datetime | None = None


class Notifications(
    NotificationRow,
    context="notifications",
    key="notification_id",
    indexes=("status", "cause"),
    access=Access.to("auditor"),
):
    """Mail to a user."""


VIEWS = (Users, ListedUsers, Results, ResultQueries, SagaEntries, Notifications)
