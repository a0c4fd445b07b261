"""The view of datasets."""

from projectors.medical_datasets.datasets import PROJECTIONS
from tests.unit.aggregates.medical_datasets.packets import ID, PACKET, TOKEN
from tests.unit.aggregates.medical_datasets.test_processing import CREATED, FAILED, ROLLED_BACK, STARTED
from tests.unit.projectors.applied import applied


def test_a_dataset_goes_through_its_statuses() -> None:
    row = applied(PROJECTIONS[0], STARTED)
    assert (row.status, row.saga_id) == ("in_progress", ID)
    row = applied(PROJECTIONS[0], STARTED, CREATED)
    assert (row.status, row.token, row.packet) == ("finished", TOKEN, PACKET.model_dump(mode="json"))
    assert applied(PROJECTIONS[0], STARTED, CREATED, ROLLED_BACK).status == "rolled_back"
    assert applied(PROJECTIONS[0], STARTED, FAILED).reason == FAILED.reason
