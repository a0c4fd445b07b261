"""The view of Parquet files."""

from projectors.medical_datasets.parquets import PROJECTIONS
from tests.unit.aggregates.medical_datasets.packets import PACKET, PARQUET
from tests.unit.aggregates.medical_datasets.test_mapping import FAILED, MAPPED, ROLLED_BACK, STARTED
from tests.unit.projectors.applied import applied


def test_a_packet_goes_through_its_statuses() -> None:
    row = applied(PROJECTIONS[0], STARTED, MAPPED)
    assert (row.status, row.packet, row.file) == ("mapped", PACKET.model_dump(mode="json"), PARQUET.model_dump(mode="json"))
    row = applied(PROJECTIONS[0], STARTED, MAPPED, ROLLED_BACK)
    assert (row.status, row.file) == ("rolled_back", None)
    row = applied(PROJECTIONS[0], STARTED, FAILED)
    assert (row.status, row.reason) == ("failed", "no")
