"""Images with DICOM files: uploaded, or fetched by their URL, and released from quarantine or deleted there."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from aggregates.health_subscriptions.imaging import IMAGE, quarantined
from command_api.dicom.fetching import NotFetched, fetched
from command_api.dicom.rejections import NotDeidentifiable
from command_api.dicom.storing import delete_quarantined, release, store
from command_api.handling.activities import Activity, ActivityContext
from command_api.health_subscriptions.bodies.images import ImagenDicom
from command_api.http.paths import UploadContext
from schemas.envelope import CommandEnvelope, Receipt
from schemas.errors import NotFound, Unavailable
from schemas.health_subscriptions.clients.images import archived, described, nine_fields
from schemas.health_subscriptions.clients.spanish import DICOM, IMAGE_STATES, UNKNOWN_MODALITY
from schemas.health_subscriptions.imaging import (
    AnonymiseImage,
    DeleteQuarantinedFile,
    DiscardImage,
    FetchImage,
    ImageAnonymised,
    PostponeImage,
    QuarantineImage,
    RecordImage,
    RecordRelease,
    RejectImage,
    ReleaseImage,
)
from schemas.message import Command, Event
from schemas.values.dicom import DicomFile, QuarantinedFile
from schemas.values.literals import read_uuid


async def receive(imagen: ImagenDicom, dicom: bytes, upload: UploadContext) -> Command:
    """Stores an uploaded file, and returns the command that records it; raises as `store`."""
    file = await store(dicom, upload.command_id, upload.client, upload.activity, is_repeat=upload.is_repeat)
    image = described(
        imagen.id_imagen, imagen.modalidad, imagen.patologia, imagen.region_anatomica, DICOM, imagen.fecha_ingesta
    )
    return _recorded(image, file)


def uploaded(command: RecordImage | QuarantineImage, receipt: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the image as it was recorded, with its number and its file; or that it is in quarantine, and why."""
    if isinstance(command, QuarantineImage):
        why = command.file.reason
        return {"id": receipt.key, "id_imagen": command.image_id, "estado": IMAGE_STATES["quarantined"], "motivo": why}
    (image,) = (event for event in events if isinstance(event, ImageAnonymised))
    archivo = archived(command.file).model_dump()
    return {
        "id": receipt.position,
        "estado": IMAGE_STATES["recorded"],
        "datos_procesados": nine_fields(image),
        "archivo": archivo,
    }


def released(_: None, parameters: Mapping[str, str]) -> Command:
    """Makes the command that takes an image out of quarantine; raises `NotFound` for what is no id."""
    return ReleaseImage(quarantine_id=_id(parameters))


def discarded(_: None, parameters: Mapping[str, str]) -> Command:
    """Makes the command that gives an image in quarantine up; raises `NotFound` for what is no id."""
    return DiscardImage(quarantine_id=_id(parameters))


def _id(parameters: Mapping[str, str]) -> UUID:
    try:
        return read_uuid(parameters["id"])
    except ValueError:
        raise NotFound("there is no such image in quarantine") from None


async def fetch(command: CommandEnvelope[FetchImage], context: ActivityContext) -> Command:
    """Fetches and stores the file of an image; returns what is recorded of it, or why nothing is.

    Raises `Unavailable` if the files of the deployment are out of reach; a source that is gets another attempt later.
    """
    data = command.data
    url = await context.plain(data.url) or ""
    try:
        dicom = await fetched(url, data.attempt, context)
    except Unavailable:
        return PostponeImage(**dict(data))
    except NotFetched as error:
        return _rejected(data, error.detail)
    try:
        file = await store(dicom, data.request_id or command.id, urlsplit(url).netloc, context)
        return _recorded(data, file, data.request_id)
    except NotDeidentifiable as error:
        return _rejected(data, error.detail)


def _rejected(image: FetchImage, reason: str) -> RejectImage:
    return RejectImage(image_id=image.image_id, reason=reason, request_id=image.request_id)


def _recorded(image: AnonymiseImage, file: DicomFile | QuarantinedFile, request_id: UUID | None = None) -> Command:
    fields = {name: getattr(image, name) for name in AnonymiseImage.model_fields}
    fields |= {"modality": _modality(image.modality, file), "request_id": request_id}
    return QuarantineImage(file=file, **fields) if isinstance(file, QuarantinedFile) else RecordImage(file=file, **fields)


def _modality(stated: str, file: DicomFile | QuarantinedFile) -> str:
    """Returns the modality that a client stated, or else that of the file."""
    return file.modality or stated if stated == UNKNOWN_MODALITY else stated


async def take_out(command: CommandEnvelope[ReleaseImage], context: ActivityContext) -> RecordRelease:
    """Stores the file of a released image without its person; raises `Rejected` if it is not in quarantine."""
    id = command.data.quarantine_id
    image = quarantined(await context.load(IMAGE, str(id)))
    file = await release(id, image.file, context)
    return RecordRelease(quarantine_id=id, modality=_modality(image.modality, file), file=file)


async def delete(command: CommandEnvelope[DeleteQuarantinedFile], context: ActivityContext) -> DeleteQuarantinedFile:
    """Deletes the file of an image that has left the quarantine; raises `Unavailable`."""
    id = command.data.quarantine_id
    image = await context.load(IMAGE, str(id))
    if image.status in ("recorded", "discarded") and not image.is_file_deleted:
        await delete_quarantined(id, context)
    return command.data


ACTIVITIES = (Activity(FetchImage, fetch), Activity(ReleaseImage, take_out), Activity(DeleteQuarantinedFile, delete))
