"""Notifications: which mail the operator gets, one for each dataset and for each request that failed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aggregates.notifications.notification import Notifications
from aggregates.policy import Policy
from schemas.envelope import RecordedEvent
from schemas.medical_datasets.anonymisation import AnonymisationFailed
from schemas.medical_datasets.mapping import MappingFailed
from schemas.medical_datasets.notifications import MESSAGES, Kind, RequestNotification
from schemas.medical_datasets.processing import DatasetCreated, ProcessingFailed
from schemas.message import Command, Event

NOTIFICATIONS = Notifications.of(MESSAGES)
OPERATOR = ("operator",)
"""The recipients of all mail."""
_KINDS: Mapping[type[Event], Kind] = {
    DatasetCreated: "dataset_created",
    AnonymisationFailed: "anonymisation_failed",
    MappingFailed: "mapping_failed",
    ProcessingFailed: "processing_failed",
}


def request(kind: Kind, id: object) -> RequestNotification:
    """Returns the request for mail about a request or a packet with this id."""
    return RequestNotification(kind=kind, cause=f"dataset-{id}", recipients=OPERATOR, about=str(id))


def _reaction(kind: Kind) -> Callable[[RecordedEvent[Any]], Iterable[Command]]:
    def announce(recorded: RecordedEvent[Any]) -> Iterable[Command]:
        """Notifies the operator."""
        data = recorded.data
        yield request(kind, data.packet_id if kind == "dataset_created" else data.saga_id)

    return announce


DECISIONS = NOTIFICATIONS.decisions
POLICIES = (
    Policy("notifying", {event: _reaction(kind) for event, kind in _KINDS.items()}),
    NOTIFICATIONS.delivering,
)
