"""The views of requests and of their patients."""

from projectors.medical_datasets.anonymisation import PROJECTIONS
from schemas.medical_datasets.anonymisation import PatientLinked
from tests.unit.aggregates.medical_datasets.packets import ANONYMISED, ID, IMAGE, STARTED, TOKEN
from tests.unit.aggregates.medical_datasets.test_anonymisation import FAILED, PATIENT, ROLLED_BACK
from tests.unit.projectors.applied import applied

REQUESTS, LINKS = PROJECTIONS


def test_a_request_goes_through_its_statuses() -> None:
    row = applied(REQUESTS, STARTED)
    assert (row.status, row.token, row.file) == ("started", TOKEN, None)
    row = applied(REQUESTS, STARTED, ANONYMISED)
    assert (row.status, row.file) == ("anonymised", IMAGE.model_dump(mode="json"))
    row = applied(REQUESTS, STARTED, ANONYMISED, ROLLED_BACK)
    assert (row.status, row.file) == ("rolled_back", None)
    row = applied(REQUESTS, FAILED)
    assert (row.status, row.reason) == ("failed", "no") and row.started_at is not None


def test_a_patient_stays_encrypted() -> None:
    row = applied(LINKS, PatientLinked(token=TOKEN, saga_id=ID, **PATIENT))
    assert (row.record_id, row.name, row.saga_id) == (PATIENT["record_id"], PATIENT["name"], ID)
