"""Imaging: images are recorded without anything of the person whom they show."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from schemas.health_subscriptions.parts import Code, Label, Reason
from schemas.health_subscriptions.roles import PRIVACY
from schemas.message import Command, Event
from schemas.sensitive import Encrypted, Sensitive
from schemas.values.dicom import DicomFile, QuarantinedFile

REMOVED = "***ANONIMIZADO***"
"""The clients' word in the place of what is not recorded."""
NOT_QUARANTINED = "La imagen no está en cuarentena"
NOT_REACHED = "La fuente de la imagen no responde"
ImageUrl = Annotated[str, Sensitive(max_length=2000)]


class AnonymiseImage(Command):
    """Records an image without its source, its patient's history and id, and the day on which it came.

    What is not recorded is no part of the command either: it is dropped where a request or a record is read.
    """

    image_id: Code
    modality: Label
    pathology: Label
    anatomical_region: Label
    image_format: Label
    ingested_year: int | None = Field(default=None, ge=1, le=9999, description="Unset: the year of the command.")


class RequestedImage(AnonymiseImage, internal=True):
    """The description of an image with a DICOM file, whose request may have taken several commands."""

    request_id: UUID | None = Field(default=None, description="Null: the id of the command.")


class FetchImage(RequestedImage, internal=True, subject="url_subject"):
    """Records an image with its DICOM file, which is fetched from a source that the deployment allows."""

    url: ImageUrl
    attempt: int = Field(default=1, ge=1)

    @property
    def url_subject(self) -> str:
        """The data subject of all such URLs, which may name a person: they are encrypted while they wait."""
        return "addresses of images"


class PostponeImage(FetchImage, internal=True, subject="url_subject"):
    """Records that the file of an image was not fetched, and whether it is tried again."""


class RecordImage(RequestedImage, internal=True):
    """Records an image whose DICOM file is stored without the person in it."""

    file: DicomFile


class QuarantineImage(RequestedImage, internal=True):
    """Records an image whose DICOM file may show a person, and is kept encrypted until somebody has looked at it."""

    file: QuarantinedFile


class RejectImage(Command, internal=True):
    """Records why an image with a DICOM file was not recorded."""

    image_id: Code
    reason: Reason
    request_id: UUID | None = Field(default=None, description="Null: the id of the command.")


class ReleaseImage(Command, access=PRIVACY):
    """Takes an image out of quarantine: somebody has seen that it shows no person. Its file is then de-identified."""

    quarantine_id: UUID


class RecordRelease(Command, internal=True):
    """Records that an image was released, and its file."""

    quarantine_id: UUID
    modality: Label
    file: DicomFile


class DiscardImage(Command, access=PRIVACY):
    """Takes an image out of quarantine for good: its file is deleted, and its key is destroyed."""

    quarantine_id: UUID


class DeleteQuarantinedFile(Command, internal=True):
    """Deletes the file of an image that is not in quarantine any more."""

    quarantine_id: UUID


class QueryImage(Command, internal=True):
    """Records that an image was looked up, by its number or its id."""

    number_or_id: Label


class ImageAnonymised(Event):
    """An image was recorded without its patient."""

    image_id: str
    modality: str
    pathology: str
    anatomical_region: str
    image_format: str
    patient_id: UUID = Field(description="A pseudonym, new for each image.")
    ingested_year: int
    file: DicomFile | None = Field(default=None, description="Null: metadata alone were sent.")
    request_id: UUID | None = Field(default=None, description="Null: the request was one command.")


class ImageQuarantined(Event):
    """An image may show a person: nothing of it is published until somebody has looked at it."""

    quarantine_id: UUID
    image_id: str
    modality: str
    pathology: str
    anatomical_region: str
    image_format: str
    ingested_year: int
    file: QuarantinedFile
    request_id: UUID | None = Field(default=None, description="Null: the request was one command.")


class ImagePostponed(Event):
    """The source of an image did not answer: its file is fetched again later."""

    request_id: UUID
    image_id: str
    modality: str
    pathology: str
    anatomical_region: str
    image_format: str
    ingested_year: int
    url: Encrypted
    attempt: int
    again_at: datetime


class ImageRejected(Event):
    """An image with a DICOM file was not recorded."""

    image_id: str
    reason: str
    request_id: UUID | None = Field(default=None, description="Null: the request was one command.")


class ImageReleased(Event):
    """An image left the quarantine, and was recorded."""

    quarantine_id: UUID


class ImageDiscarded(Event):
    """An image left the quarantine, and was not recorded."""

    quarantine_id: UUID


class QuarantinedFileDeleted(Event):
    """The file of an image that is not in quarantine any more was deleted."""

    quarantine_id: UUID


class ImageQueried(Event):
    """An image was looked up."""

    query_id: UUID
    number_or_id: str
    queried_by: str | None


COMMANDS = (
    AnonymiseImage,
    FetchImage,
    PostponeImage,
    RecordImage,
    QuarantineImage,
    RejectImage,
    ReleaseImage,
    RecordRelease,
    DiscardImage,
    DeleteQuarantinedFile,
    QueryImage,
)
EVENTS = (
    ImageAnonymised,
    ImageQuarantined,
    ImagePostponed,
    ImageRejected,
    ImageReleased,
    ImageDiscarded,
    QuarantinedFileDeleted,
    ImageQueried,
)
