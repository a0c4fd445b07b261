"""Notifications: one to the operator for each dataset and each request that failed."""

from typing import Any

import pytest

from aggregates.medical_datasets.notifications import POLICIES
from aggregates.scenario import reaction_of
from schemas.medical_datasets.anonymisation import AnonymisationFailed
from schemas.medical_datasets.mapping import MappingFailed
from schemas.medical_datasets.notifications import Kind, RequestNotification
from schemas.medical_datasets.processing import DatasetCreated, ProcessingFailed
from tests.unit.aggregates.medical_datasets.packets import ID, PACKET, TOKEN


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (DatasetCreated(packet_id=str(ID), saga_id=ID, token=TOKEN, record_id=None, packet=PACKET), "dataset_created"),
        (DatasetCreated(packet_id="p 1", saga_id=None, token=None, record_id=None, packet=PACKET), "dataset_created"),
        (AnonymisationFailed(saga_id=ID, reason="no"), "anonymisation_failed"),
        (MappingFailed(saga_id=ID, reason="no"), "mapping_failed"),
        (ProcessingFailed(packet_id=str(ID), saga_id=ID, reason="no"), "processing_failed"),
    ],
)
def test_each_end_is_announced_to_the_operator(event: Any, kind: Kind) -> None:
    (command,) = reaction_of(POLICIES[0], event)

    about = getattr(event, "packet_id", str(ID))
    assert command == RequestNotification(kind=kind, cause=f"dataset-{about}", recipients=("operator",), about=about)
