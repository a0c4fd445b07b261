"""The row of a notification, of which each system declares its own view as a subclass."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from schemas.view import View


class NotificationRow(View, context="notifications", key="notification_id"):
    """Mail to a user."""

    notification_id: UUID
    kind: str | None = None
    cause: str | None = None
    about: str | None = None
    status: Literal["requested", "retrying", "sent", "failed"] = "requested"
    attempts: int = 0
    problem: str | None = None
    again_at: datetime | None = None
    requested_at: datetime | None = None
    updated_at: datetime | None = None
