"""The packet of the tests, and its files and events."""

from datetime import UTC, datetime
from uuid import UUID

from aggregates.scenario import FIRST_ID
from schemas.medical_datasets.anonymisation import AnonymisationStarted, ImageAnonymised
from schemas.medical_datasets.parts import Diagnosis, Packet, token_of
from schemas.values.dicom import DicomFile
from schemas.values.files import KeptFile

ID: UUID = FIRST_ID
TOKEN = token_of(ID)
PACKET = Packet(
    clinical_setting="Clínico",
    diagnosis=Diagnosis(region="Cabeza", modality="CT", pathology="Tumor"),
    created_at=datetime(2025, 3, 9, 12, 30, tzinfo=UTC),
    processing_context="Inicial",
    clinical_notes="Sin novedad",
    data={"examenes": ["Sangre", "Orina"], "resultados": {"glucosa": "90"}},
)
IMAGE = DicomFile(
    key=f"medical_datasets/images/{ID}.dcm",
    sha256="a" * 64,
    bytes=10,
    modality="CT",
    transfer_syntax="1.2",
    sop_class="1.3",
    rows=1,
    columns=1,
    frames=1,
)
PARQUET = KeptFile(key=f"medical_datasets/parquet/{ID}.parquet", sha256="b" * 64, bytes=20)
STARTED = AnonymisationStarted(saga_id=ID, token=TOKEN, packet=PACKET, image_url="encrypted:1:x:y")
ANONYMISED = ImageAnonymised(saga_id=ID, token=TOKEN, packet=PACKET, file=IMAGE)
