"""Anonymisation: a request's texts are scrubbed, its image is de-identified, and its patient is kept apart.

::

    none ─── started ─┬─ (postponed: the image is fetched again)
                      ├─ anonymised ─── rolled back
                      └─ failed
"""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from aggregates.decision import Decision, Decisions, Events
from aggregates.state import NoState, State
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.medical_datasets.anonymisation import (
    AnonymisationFailed,
    AnonymisationRolledBack,
    AnonymisationStarted,
    FailAnonymisation,
    ImageAnonymised,
    ImagePostponed,
    PatientLinked,
    PostponeImage,
    RecordImage,
    RollbackAnonymisation,
    StartAnonymisation,
)
from schemas.medical_datasets.parts import token_of
from schemas.message import Event
from schemas.values.dicom import DicomFile
from schemas.values.files import DeletedFile
from schemas.values.times import later

PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
"""The pause after each attempt to fetch an image; the attempt after the last one fails the request."""
NOT_REACHED = "La fuente de la imagen no responde"


class AnonymisedImage(State):
    """The image of a request."""

    status: Literal["none", "started", "anonymised", "failed", "rolled_back"] = "none"
    file: DicomFile | None = None


def evolve(image: AnonymisedImage, event: Event) -> AnonymisedImage:
    match event:
        case AnonymisationStarted():
            return image.replace(status="started")
        case ImageAnonymised(file=file):
            return image.replace(status="anonymised", file=file)
        case AnonymisationFailed():
            return image.replace(status="failed")
        case AnonymisationRolledBack():
            return image.replace(status="rolled_back", file=None)
    return image


IMAGE, LINK = Stream("anonymisedimage", AnonymisedImage, evolve), Stream("patientlink")


def _token(command: CommandEnvelope[StartAnonymisation]) -> str:
    return str(token_of(command.id))


_LINK = LINK.create_or_change(_token, usually_new=True)


def start(command: CommandEnvelope[StartAnonymisation], link: NoState) -> Events:
    """Records the texts without their patient, and in the same append to whom the token belongs."""
    data, token = command.data, token_of(command.id)
    yield AnonymisationStarted(saga_id=command.id, token=token, packet=data.packet, image_url=data.image_url)
    patient = {name: getattr(data, name) for name in ("record_id", "name", "address", "phone")}
    yield _LINK.records(PatientLinked(token=token, saga_id=command.id, **patient))


def record(command: CommandEnvelope[RecordImage], image: AnonymisedImage) -> Events:
    """Records the image once."""
    if image.status == "started":
        data = command.data
        yield ImageAnonymised(saga_id=data.saga_id, token=data.token, packet=data.packet, file=data.file)


def postpone(command: CommandEnvelope[PostponeImage], image: AnonymisedImage) -> Events:
    """Records when the image is fetched again, or after the last attempt that the request failed."""
    data = command.data
    if image.status == "started" and data.attempt > len(PAUSES):
        yield AnonymisationFailed(saga_id=data.saga_id, reason=NOT_REACHED)
    elif image.status == "started":
        again_at = later(command.at, PAUSES[data.attempt - 1])
        yield ImagePostponed(saga_id=data.saga_id, attempt=data.attempt, again_at=again_at)


def fail(command: CommandEnvelope[FailAnonymisation], image: AnonymisedImage) -> Events:
    """Records why a request failed, if nothing is decided yet."""
    if image.status in ("none", "started"):
        yield AnonymisationFailed(saga_id=command.data.saga_id or command.id, reason=command.data.reason)


def roll_back(command: CommandEnvelope[RollbackAnonymisation], image: AnonymisedImage) -> Events:
    """Records once that the image was deleted; nothing if there is nothing to compensate."""
    if image.status == "anonymised":
        file = None if image.file is None else DeletedFile(key=image.file.key)
        yield AnonymisationRolledBack(saga_id=command.data.saga_id, file=file)


def image_key(saga_id: UUID) -> str:
    """Returns the place of the image of a request. It is no other request's, so that a rollback deletes this one alone."""
    return f"medical_datasets/images/{saga_id}.dcm"


def _request(command: CommandEnvelope[FailAnonymisation]) -> str:
    return str(command.data.saga_id or command.id)


DECISIONS: Decisions = (
    Decision(StartAnonymisation, IMAGE.create(), start, writes=(_LINK,)),
    Decision(RecordImage, IMAGE.change("saga_id"), record),
    Decision(PostponeImage, IMAGE.change("saga_id"), postpone),
    Decision(FailAnonymisation, IMAGE.create_or_change(_request), fail),
    Decision(RollbackAnonymisation, IMAGE.create_or_change("saga_id"), roll_back),
)
