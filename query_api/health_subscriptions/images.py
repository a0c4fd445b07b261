"""Images as their clients look them up: by number, or by the client's own id. Each look-up is recorded."""

from collections.abc import AsyncIterator

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.queries.words import Words, translation
from query_api.views.paging import Row
from schemas.errors import NotFound
from schemas.health_subscriptions.clients import dialect, images
from schemas.health_subscriptions.clients.images import Imagen, ImagenEnCuarentena, SolicitudDeImagen
from schemas.health_subscriptions.clients.spanish import IMAGE_STATES, QUARANTINE_STATES
from schemas.health_subscriptions.imaging import QueryImage
from schemas.health_subscriptions.views import ImageRequests, Images, QuarantinedImages
from schemas.values.dicom import DicomFile, quarantine_subject
from streams.integrations.encrypted_files import EncryptedFiles
from streams.integrations.files import Files
from streams.security.fair_turns import FairTurns

_MAX_DIGITS = 18
_DICOM = "application/dicom"
_TURNS = FairTurns(2, 16)
"""Turns of files that are decrypted, which is done in memory."""


async def image(context: QueryContext) -> Answer:
    """Returns the image with a number, or the newest one with a client's id; raises `NotFound`."""
    return Answer(shown(await _looked_up(context)))


async def file(context: QueryContext) -> Answer:
    """Returns the DICOM file of such an image; raises `NotFound`."""
    row = await _looked_up(context)
    if row["file"] is None:
        raise NotFound(f"the image {row['number']} has no file")
    file = DicomFile.model_validate(row["file"])
    content = await Files.of(context.settings).read(file.key, size=file.bytes, sha256=file.sha256)
    return _download(content, f"{row['number']}.dcm")


async def quarantine(context: QueryContext) -> Answer:
    """Returns a page of the images that wait in quarantine, the oldest first, unless the request asks for others."""
    asked = context.request.query_params
    waiting = () if {"estado", "status"} & {name.partition("[")[0] for name in asked} else (("status", "quarantined"),)
    oldest_first = () if "sort" in asked else (("sort", "quarantined_at"),)
    page = await context.views.page(context.request, QuarantinedImages, *waiting, *oldest_first, translated=translation(_WORDS))
    return context.page(page, [shown_in_quarantine(row) for row in page.rows])


async def quarantined_file(context: QueryContext) -> Answer:
    """Returns a DICOM file that is in quarantine, as it came; raises `NotFound`. That it was read is recorded."""
    row = await context.views.row(context.request, QuarantinedImages, context.path_parameter("id"))
    if row["file"] is None or row["status"] != "quarantined":
        raise NotFound(f"the image {row['quarantine_id']} is not in quarantine any more")
    await _record(context, str(row["quarantine_id"]))
    async with _TURNS.turn("quarantine", "officers"):
        files = EncryptedFiles(context.settings, context.keys)
        content = await files.get(row["file"]["key"], quarantine_subject(row["quarantine_id"]))
    return _download(content, f"{row['quarantine_id']}.dcm")


def shown(row: Row) -> Imagen:
    """Returns an image in the clients' words."""
    return images.shown(row["number"], row)


def shown_request(row: Row) -> SolicitudDeImagen:
    """Returns an image that was sent, in the clients' words."""
    return SolicitudDeImagen(
        id=row["request_id"],
        id_imagen=row["image_id"],
        estado=IMAGE_STATES[row["status"]],
        numero=row["number"],
        motivo=row["reason"],
    )


_WORDS: Words = {"estado": {word: (("status", status),) for status, word in QUARANTINE_STATES.items()}}


def shown_in_quarantine(row: Row) -> ImagenEnCuarentena:
    """Returns an image that is or was in quarantine, in the clients' words."""
    file = row["file"] or {}
    return ImagenEnCuarentena(
        id=row["quarantine_id"],
        id_imagen=row["image_id"],
        modalidad=row["modality"],
        patologia=row["pathology"],
        region_anatomica=row["anatomical_region"],
        formato_imagen=row["image_format"],
        motivo=file.get("reason"),
        bytes=file.get("bytes"),
        estado=QUARANTINE_STATES[row["status"]],
        fecha=row["quarantined_at"],
    )


async def _looked_up(context: QueryContext) -> Row:
    given = context.path_parameter("id")
    by_number = given.isascii() and given.isdigit() and len(given) <= _MAX_DIGITS
    if by_number:
        row = await context.views.row(context.request, Images, str(int(given)))
    else:
        page = await context.views.page(context.request, Images, ("image_id", given), ("sort", "-number"), ("limit", "1"))
        if not page.rows:
            raise NotFound(f"there is no image {given}")
        row = page.rows[0]
    await _record(context, given)
    return row


async def _record(context: QueryContext, given: str) -> None:
    await context.commands.send(context.request, [(QueryImage(number_or_id=given), given)])


def _download(content: bytes | AsyncIterator[bytes], name: str) -> Answer:
    return Answer(content, {"Content-Disposition": f'attachment; filename="{name}"'}, _DICOM)


QUERIES = (
    Query(
        "/anonimizado/{id:path}/dicom",
        Images,
        "The DICOM file, without its patient, of the image with a number, or of the newest one with a client's id.",
        key="id",
        handler=file,
        media_type=_DICOM,
        errors=dialect.IMAGES,
    ),
    Query(
        "/anonimizado/{id:path}",
        Images,
        "The image with a number, or the newest one with a client's id.",
        key="id",
        shape=shown,
        handler=image,
        errors=dialect.IMAGES,
    ),
    Query(
        "/procesamiento/imagenes/{id}",
        ImageRequests,
        "An image that was sent: whether it was recorded, or why not.",
        key="id",
        shape=shown_request,
        errors=dialect.IMAGES,
    ),
    Query(
        "/procesamiento/cuarentena",
        QuarantinedImages,
        "Images that wait because they may show a person; those that do not wait any more with `estado`.",
        shape=shown_in_quarantine,
        handler=quarantine,
        words=_WORDS,
        errors=dialect.IMAGES,
    ),
    Query(
        "/procesamiento/cuarentena/{id}/dicom",
        QuarantinedImages,
        "The DICOM file of an image in quarantine, as it came.",
        key="id",
        handler=quarantined_file,
        media_type=_DICOM,
        errors=dialect.IMAGES,
    ),
)
