"""DICOM files as systems record them: facts that identify nobody, and the place of the file."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schemas.values.files import KeptFile


class DicomFile(KeptFile):
    """A DICOM file without the person in it (PS3.10)."""

    modality: str | None
    transfer_syntax: str
    sop_class: str
    rows: int
    columns: int
    frames: int


class QuarantinedFile(BaseModel):
    """A DICOM file that may show a person: it is kept as it came, encrypted, until somebody has looked at it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(description="Its place among the files.")
    bytes: int = Field(description="Size of the file before its encryption.")
    modality: str | None = None
    reason: str


def quarantine_subject(id: UUID) -> str:
    """Returns the data subject under whose key a file in quarantine is encrypted: no other subject has such a name."""
    return f"quarantine {id}"
