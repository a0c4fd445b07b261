"""Images: each is a stream of its own, so that any number of them is recorded side by side.

::

    none ─┬─ recorded
          ├─ in quarantine ─┬─ released (recorded)
          │                 └─ discarded
          ├─ postponed ─── its file is fetched again
          └─ rejected
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from aggregates.decision import Decision, Decisions, Events
from aggregates.policy import Policy
from aggregates.sagas.definition import Reaction, SagaDefinition, Send, Transition
from aggregates.state import State
from aggregates.stream import Stream
from schemas.engine.privacy import EraseSubject
from schemas.engine.sagas import CommandOutcome, SagaInput
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import AlreadyExists, DoesNotExist, Rejected
from schemas.health_subscriptions.imaging import (
    NOT_QUARANTINED,
    NOT_REACHED,
    AnonymiseImage,
    DeleteQuarantinedFile,
    DiscardImage,
    FetchImage,
    ImageAnonymised,
    ImageDiscarded,
    ImagePostponed,
    ImageQuarantined,
    ImageQueried,
    ImageRejected,
    ImageReleased,
    PostponeImage,
    QuarantinedFileDeleted,
    QuarantineImage,
    QueryImage,
    RecordImage,
    RecordRelease,
    RejectImage,
    RequestedImage,
)
from schemas.message import Command, Event
from schemas.values.dicom import quarantine_subject
from schemas.values.times import later

PAUSES = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
"""The pause after each attempt to fetch a file; the attempt after the last one rejects the image."""
_PSEUDONYMS = UUID("b3a2f7f0-6a36-5c1a-8d6a-0b1c7d8e9f20")


class Image(State):
    """An image; while it is in quarantine, with what is recorded of it when it is released."""

    status: Literal["none", "postponed", "quarantined", "recorded", "discarded", "rejected"] = "none"
    quarantined: ImageQuarantined | None = None
    is_file_deleted: bool = False

    @property
    def is_open(self) -> bool:
        """Whether nothing is decided yet."""
        return self.status in ("none", "postponed")


def evolve(image: Image, event: Event) -> Image:
    match event:
        case ImageQuarantined():
            return Image(status="quarantined", quarantined=event)
        case ImageAnonymised():
            return image.replace(status="recorded", quarantined=None)
        case ImageDiscarded():
            return image.replace(status="discarded", quarantined=None)
        case ImagePostponed():
            return image.replace(status="postponed")
        case ImageRejected():
            return image.replace(status="rejected")
        case QuarantinedFileDeleted():
            return image.replace(is_file_deleted=True)
    return image


IMAGE = Stream("image", Image, evolve)
LOOK_UP = Stream("imagequery")


def anonymise(command: CommandEnvelope[AnonymiseImage]) -> Events:
    """Records an image under a pseudonym that is made of the command's id, so that a repeat gives the same one."""
    yield ImageAnonymised(patient_id=_pseudonym(command.id), file=None, **_described(command))


def record(command: CommandEnvelope[RecordImage], image: Image) -> Events:
    """Does the same for an image with a file, once for each request; raises `AlreadyExists` for one that was uploaded twice."""
    if _is_open(command, image):
        pseudonym = _pseudonym(command.data.request_id or command.id)
        request_id = command.data.request_id
        yield ImageAnonymised(patient_id=pseudonym, file=command.data.file, request_id=request_id, **_described(command))


def quarantine(command: CommandEnvelope[QuarantineImage], image: Image) -> Events:
    """Records that an image waits until somebody has looked at it; raises `AlreadyExists` for one that was uploaded twice."""
    if _is_open(command, image):
        id = command.data.request_id or command.id
        data = command.data
        yield ImageQuarantined(quarantine_id=id, file=data.file, request_id=data.request_id, **_described(command))


def postpone(command: CommandEnvelope[PostponeImage], image: Image) -> Events:
    """Records when the file of an image is fetched again, or after the last attempt that the image is rejected."""
    data = command.data
    if image.is_open and data.attempt > len(PAUSES):
        yield ImageRejected(image_id=data.image_id, reason=NOT_REACHED, request_id=data.request_id)
    elif image.is_open:
        again_at = later(command.at, PAUSES[data.attempt - 1])
        id = data.request_id or command.id
        yield ImagePostponed(request_id=id, url=data.url, attempt=data.attempt, again_at=again_at, **_described(command))


def reject(command: CommandEnvelope[RejectImage], image: Image) -> Events:
    """Records why an image was not recorded."""
    if image.is_open:
        data = command.data
        yield ImageRejected(image_id=data.image_id, reason=data.reason, request_id=data.request_id)


def _is_open(command: CommandEnvelope[RequestedImage], image: Image) -> bool:
    """Returns whether nothing is decided yet of a request; raises `AlreadyExists` if the command is the request itself."""
    if not image.is_open and command.data.request_id is None:
        raise AlreadyExists("there is an image with this id already")
    return image.is_open


def release(command: CommandEnvelope[RecordRelease], image: Image) -> Events:
    """Records an image that was in quarantine; raises `Rejected` if it is not."""
    id = command.data.quarantine_id
    yield ImageReleased(quarantine_id=id)
    described = {name: getattr(quarantined(image), name) for name in AnonymiseImage.model_fields}
    described["modality"] = command.data.modality
    yield ImageAnonymised(patient_id=_pseudonym(id), file=command.data.file, **described)


def discard(command: CommandEnvelope[DiscardImage], image: Image) -> Events:
    """Records that an image in quarantine is given up; raises `Rejected` if it is not there."""
    quarantined(image)
    yield ImageDiscarded(quarantine_id=command.data.quarantine_id)


def quarantined(image: Image) -> ImageQuarantined:
    """Returns the description of an image in quarantine; raises `Rejected` if it is not there, or never was."""
    if image.status == "none":
        raise DoesNotExist(NOT_QUARANTINED)
    if image.quarantined is None:
        raise Rejected(NOT_QUARANTINED)
    return image.quarantined


def record_deletion(command: CommandEnvelope[DeleteQuarantinedFile], image: Image) -> Events:
    """Records once that the file of an image is deleted."""
    if image.status in ("recorded", "discarded") and not image.is_file_deleted:
        yield QuarantinedFileDeleted(quarantine_id=command.data.quarantine_id)


def query(command: CommandEnvelope[QueryImage]) -> Events:
    """Records a look-up."""
    yield ImageQueried(query_id=command.id, number_or_id=command.data.number_or_id, queried_by=command.actor)


def delete_file(recorded: RecordedEvent[ImageReleased | ImageDiscarded]) -> Iterable[Command]:
    """Deletes the file of an image that has left the quarantine, and the key under which copies of it could be read."""
    id = recorded.data.quarantine_id
    yield DeleteQuarantinedFile(quarantine_id=id)
    yield EraseSubject(subject=quarantine_subject(id), in_advance=True)


class Fetching(State):
    """The file of an image that is fetched again later."""

    postponed: ImagePostponed | None = None


def postponed(_: Fetching, event: ImagePostponed, input: SagaInput) -> Transition[Fetching]:
    return Transition(Fetching(postponed=event), set_timers={"again": event.again_at})


def again(state: Fetching, input: SagaInput) -> Transition[Fetching]:
    image = state.postponed
    assert image is not None, "the saga starts with it"
    described = {name: getattr(image, name) for name in AnonymiseImage.model_fields}
    fetch = FetchImage(request_id=image.request_id, url=image.url, attempt=image.attempt + 1, **described)
    return Transition(state, send=[Send(fetch)])


def fetched(
    state: Fetching, event: ImageAnonymised | ImageQuarantined | ImageRejected, input: SagaInput
) -> Transition[Fetching]:
    """Ends: an attempt came to something."""
    return Transition(state, status="completed")


def not_fetched(state: Fetching, outcome: CommandOutcome, input: SagaInput) -> Transition[Fetching]:
    """Rejects the image if the next attempt itself was rejected, as after the erasure of the addresses."""
    image = state.postponed
    assert image is not None, "the saga starts with it"
    rejection = RejectImage(image_id=image.image_id, reason=NOT_REACHED, request_id=image.request_id)
    return Transition(state, send=[Send(rejection)])


def _pseudonym(id: UUID) -> UUID:
    return uuid5(_PSEUDONYMS, str(id))


def _described(command: CommandEnvelope[Any]) -> dict[str, Any]:
    data: AnonymiseImage = command.data
    fields = {name: getattr(data, name) for name in AnonymiseImage.model_fields}
    return {**fields, "ingested_year": data.ingested_year or command.at.year}


def _request(command: CommandEnvelope[RequestedImage | RejectImage]) -> str:
    return str(command.data.request_id or command.id)


_REQUESTED = IMAGE.create_or_change(_request, usually_new=True)
DECISIONS: Decisions = (
    Decision(AnonymiseImage, IMAGE.create(), anonymise),
    Decision(RecordImage, _REQUESTED, record),
    Decision(QuarantineImage, _REQUESTED, quarantine),
    Decision(PostponeImage, _REQUESTED, postpone),
    Decision(RejectImage, _REQUESTED, reject),
    Decision(RecordRelease, IMAGE.change("quarantine_id"), release),
    Decision(DiscardImage, IMAGE.change("quarantine_id"), discard),
    Decision(DeleteQuarantinedFile, IMAGE.change("quarantine_id"), record_deletion),
    Decision(QueryImage, LOOK_UP.create(), query),
)
FETCHING: SagaDefinition[Fetching] = SagaDefinition(
    "fetching",
    Fetching,
    {
        ImagePostponed: Reaction("request_id", postponed, starts=True),
        **{event: Reaction("request_id", fetched) for event in (ImageAnonymised, ImageQuarantined, ImageRejected)},
    },
    on_rejected={FetchImage: not_fetched},
    on_timer={"again": again},
    events_follow_start=True,
)
POLICIES = (Policy("emptying-quarantine", {ImageReleased: delete_file, ImageDiscarded: delete_file}),)
