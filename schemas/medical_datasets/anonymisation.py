"""Anonymisation: the image and the texts of a request are kept without their patient, and the patient apart, encrypted."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationError

from schemas.medical_datasets.parts import Packet, Reason, token_of
from schemas.message import Command, Event
from schemas.sensitive import Encrypted, Sensitive, is_encrypted
from schemas.values.dicom import DicomFile
from schemas.values.files import DeletedFile
from schemas.values.stated import Stated

MAX_PACKET = 200_000
"""Characters of a packet as JSON."""


NO_PACKET = "must be a packet as JSON"


def _packet(text: str) -> str:
    if not is_encrypted(text):
        try:
            Packet.model_validate_json(text)
        except ValidationError:
            raise ValueError(NO_PACKET) from None
    return text


PersonalText = Annotated[str | None, Sensitive(max_length=500)]
Url = Annotated[str | None, Sensitive(max_length=2000)]


class RequestAnonymisation(Command, subject=token_of):
    """Requests that an image and what is known of it are kept without the patient. The data subject is the patient's token."""

    record_id: PersonalText = None
    name: PersonalText = None
    address: PersonalText = None
    phone: PersonalText = None
    image_url: Url = None
    packet_json: Annotated[str, Sensitive(max_length=MAX_PACKET), AfterValidator(_packet), Stated(rules=(NO_PACKET,))] = Field(
        description="Everything that is known of the image besides its patient: a `Packet`."
    )


class StartAnonymisation(Command, internal=True):
    """Records the texts of a request without the patient, and the patient apart."""

    record_id: Encrypted
    name: Encrypted
    address: Encrypted
    phone: Encrypted
    image_url: Encrypted
    packet: Packet


class AnonymiseImage(Command, internal=True):
    """Fetches the image of a request, and keeps it without the patient."""

    saga_id: UUID
    token: UUID
    packet: Packet
    image_url: Encrypted
    attempt: int = Field(default=1, ge=1)


class RecordImage(Command, internal=True):
    """Records the image of a request, or that it has none."""

    saga_id: UUID
    token: UUID
    packet: Packet
    file: DicomFile | None


class PostponeImage(Command, internal=True):
    """Records that an image was not fetched, and whether it is tried again."""

    saga_id: UUID
    attempt: int = Field(ge=1)


class FailAnonymisation(Command, internal=True):
    """Records why a request was not anonymised."""

    saga_id: UUID | None = Field(default=None, description="Null: the id of the command.")
    reason: Reason


class RollbackAnonymisation(Command, internal=True):
    """Deletes the image of a request that failed later."""

    saga_id: UUID


class AnonymisationStarted(Event):
    """The texts of a request are recorded without the patient."""

    saga_id: UUID
    token: UUID
    packet: Packet
    image_url: Encrypted


class PatientLinked(Event):
    """A token belongs to a patient."""

    token: UUID
    saga_id: UUID
    record_id: Encrypted
    name: Encrypted
    address: Encrypted
    phone: Encrypted


class ImagePostponed(Event):
    """The source of an image did not answer: it is fetched again later."""

    saga_id: UUID
    attempt: int
    again_at: datetime


class ImageAnonymised(Event):
    """The image of a request is kept without the patient."""

    saga_id: UUID
    token: UUID
    packet: Packet
    file: DicomFile | None = Field(description="Null: the request has no image, or sources are not fetched here.")


class AnonymisationFailed(Event):
    """A request was not anonymised."""

    saga_id: UUID
    reason: str


class AnonymisationRolledBack(Event):
    """The image of a request that failed later was deleted."""

    saga_id: UUID
    file: DeletedFile | None


COMMANDS = (
    RequestAnonymisation,
    StartAnonymisation,
    AnonymiseImage,
    RecordImage,
    PostponeImage,
    FailAnonymisation,
    RollbackAnonymisation,
)
EVENTS = (
    AnonymisationStarted,
    PatientLinked,
    ImagePostponed,
    ImageAnonymised,
    AnonymisationFailed,
    AnonymisationRolledBack,
)
