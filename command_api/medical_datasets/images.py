"""Images and texts without their patient: scrubbed, fetched, de-identified; and deleted when what follows fails."""

import asyncio
from urllib.parse import urlsplit

from pydantic import ValidationError

from aggregates.medical_datasets.anonymisation import IMAGE, image_key
from aggregates.medical_datasets.scrubbing import Scrubber
from command_api.dicom.fetching import NotFetched, fetched
from command_api.dicom.rejections import NotDeidentifiable
from command_api.dicom.storing import store_without_person
from command_api.handling.activities import Activity, ActivityContext
from schemas.envelope import CommandEnvelope
from schemas.errors import Unavailable
from schemas.medical_datasets.anonymisation import (
    AnonymiseImage,
    FailAnonymisation,
    PostponeImage,
    RecordImage,
    RequestAnonymisation,
    RollbackAnonymisation,
    StartAnonymisation,
)
from schemas.medical_datasets.parts import Packet
from schemas.message import Command
from schemas.values.dicom import DicomFile
from streams.integrations.files import Files

_ERASED, _TOO_LONG = "Los datos del paciente fueron borrados", "Los textos son demasiado largos"


async def scrub(command: CommandEnvelope[RequestAnonymisation], context: ActivityContext) -> Command:
    """Opens the texts of a request, and returns what is recorded of them: nothing that names the patient."""
    data = command.data
    if (text := await context.plain(data.packet_json)) is None:
        return FailAnonymisation(reason=_ERASED)
    name, *others = [await context.plain(one) for one in (data.name, data.address, data.phone, data.record_id)]
    try:
        packet = await asyncio.to_thread(Scrubber(name, others).packet, Packet.model_validate_json(text))
    except ValidationError:  # what is put in the place of a name may be longer than it
        return FailAnonymisation(reason=_TOO_LONG)
    patient = {field: getattr(data, field) for field in ("record_id", "name", "address", "phone")}
    return StartAnonymisation(image_url=data.image_url, packet=packet, **patient)


async def anonymise(command: CommandEnvelope[AnonymiseImage], context: ActivityContext) -> Command:
    """Fetches and stores an image; returns what is recorded of it, or why nothing is.

    No image is fetched if no sources are allowed. Raises `Unavailable` if the files of the deployment are out of reach; a
    source that is gets another attempt later.
    """
    data = command.data
    if data.image_url is None or not context.settings.file_sources:
        return _recorded(data, None)
    url = await context.plain(data.image_url)
    if url is None:
        return FailAnonymisation(saga_id=data.saga_id, reason=_ERASED)
    try:
        dicom = await fetched(url, data.attempt, context)
    except Unavailable:
        return PostponeImage(saga_id=data.saga_id, attempt=data.attempt)
    except NotFetched as error:
        return FailAnonymisation(saga_id=data.saga_id, reason=error.detail)
    try:
        file = await store_without_person(dicom, image_key(data.saga_id), urlsplit(url).netloc, context)
    except NotDeidentifiable as error:
        return FailAnonymisation(saga_id=data.saga_id, reason=error.detail)
    return _recorded(data, file)


def _recorded(data: AnonymiseImage, file: DicomFile | None) -> RecordImage:
    return RecordImage(saga_id=data.saga_id, token=data.token, packet=data.packet, file=file)


async def delete(command: CommandEnvelope[RollbackAnonymisation], context: ActivityContext) -> RollbackAnonymisation:
    """Deletes the image of a request that failed later, if there is one; raises `Unavailable`."""
    image = await context.load(IMAGE, str(command.data.saga_id))
    if image.status == "anonymised" and image.file is not None:
        await Files.of(context.settings).delete(image.file.key)
    return command.data


ACTIVITIES = (
    Activity(RequestAnonymisation, scrub, has_side_effects=False),
    Activity(AnonymiseImage, anonymise),
    Activity(RollbackAnonymisation, delete),
)
