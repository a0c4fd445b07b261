"""Images with DICOM files: what is made of an upload and of a URL, and the way out of quarantine."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aggregates.health_subscriptions.imaging import Image
from aggregates.scenario import FIRST_ID, MIDNIGHT
from command_api.handling.activities import ActivityContext
from command_api.health_subscriptions.bodies.images import ImagenDicom
from command_api.health_subscriptions.images import delete, discarded, fetch, receive, released, take_out, uploaded
from command_api.http.paths import UploadContext
from schemas.envelope import Receipt
from schemas.errors import NotFound, Rejected
from schemas.health_subscriptions.imaging import (
    AnonymiseImage,
    DeleteQuarantinedFile,
    DiscardImage,
    FetchImage,
    ImageAnonymised,
    ImageQuarantined,
    PostponeImage,
    QuarantineImage,
    RecordImage,
    RejectImage,
    ReleaseImage,
)
from streams.settings import Settings
from tests.unit.command_api.activity_context import context_of, sent
from tests.unit.command_api.dicom.images import NAME, image, written

CLEAN, WITH_TEXT = written(image()), written(image(BurnedInAnnotation="YES"))
IMAGEN = ImagenDicom(id_imagen="i-1", fecha_ingesta="2024-02-29 10:00:00")
DESCRIBED = {"image_id": "i", "modality": "Desconocida", "pathology": "p", "anatomical_region": "r", "image_format": "DICOM"}


def keeping(folder: Path, *sources: str, image: Image | None = None) -> ActivityContext:
    settings = Settings(
        files_url=(folder / "files").as_uri(), file_sources=list(sources), file_source_networks="127.0.0.1", max_file_bytes=9000
    )
    return replace(context_of(image=image or Image()), settings=settings)


async def upload(dicom: bytes, folder: Path) -> RecordImage | QuarantineImage:
    command = await receive(IMAGEN, dicom, UploadContext(keeping(folder), "ana", FIRST_ID, is_repeat=False))
    assert isinstance(command, RecordImage | QuarantineImage)
    assert NAME not in command.model_dump_json()
    return command


async def test_an_upload_is_recorded_with_the_modality_of_its_file(tmp_path: Path) -> None:
    command = await upload(CLEAN, tmp_path)

    assert isinstance(command, RecordImage)
    assert (command.image_id, command.modality, command.image_format, command.ingested_year) == ("i-1", "CT", "DICOM", 2024)
    event = ImageAnonymised(
        patient_id=UUID(int=9), ingested_year=2024, file=command.file, **{name: getattr(command, name) for name in DESCRIBED}
    )
    receipt = Receipt(
        command_id=FIRST_ID, stream="image-1", version=1, position=7, partition=0, recorded_at=MIDNIGHT, events=("x",)
    )
    answer = uploaded(command, receipt, [event])
    assert (answer["id"], answer["estado"], answer["datos_procesados"]["modalidad"]) == (7, "ANONIMIZADA", "CT")
    assert (answer["archivo"]["filas"], answer["archivo"]["sha256"]) == (4, command.file.sha256)
    assert "key" not in answer["archivo"]


async def test_an_upload_with_text_in_its_pixels_is_answered_as_one_in_quarantine(tmp_path: Path) -> None:
    command = await upload(WITH_TEXT, tmp_path)

    assert isinstance(command, QuarantineImage)
    receipt = Receipt(
        command_id=FIRST_ID, stream="image-1", version=1, position=7, partition=0, recorded_at=MIDNIGHT, events=("x",)
    )
    assert uploaded(command, receipt, []) == {
        "id": receipt.key,
        "id_imagen": "i-1",
        "estado": "EN_CUARENTENA",
        "motivo": "posible texto en la imagen",
    }


@pytest.fixture
async def source() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        found = {"clean.dcm": CLEAN, "text.dcm": WITH_TEXT, "rubbish.dcm": b"x", "large.dcm": bytes(10_000)}
        name = request.path.removeprefix("/")
        return web.Response(body=found[name]) if name in found else web.Response(status=500 if name == "broken.dcm" else 404)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}/"


@pytest.mark.parametrize(
    ("name", "command", "why"),
    [
        ("clean.dcm", RecordImage, ""),
        ("text.dcm", QuarantineImage, ""),
        ("rubbish.dcm", RejectImage, "no es un archivo DICOM"),
        ("large.dcm", RejectImage, "La imagen es demasiado grande"),
        ("none.dcm", RejectImage, "La fuente no tiene la imagen"),
    ],
)
async def test_a_file_is_fetched_from_an_allowed_source(
    tmp_path: Path, source: str, name: str, command: type[object], why: str
) -> None:
    given = FetchImage(url=f"secret:{source}{name}", **DESCRIBED)

    made = await fetch(sent(given), keeping(tmp_path, source))

    assert type(made) is command
    if isinstance(made, RejectImage):
        assert (made.image_id, made.reason) == ("i", why)
    else:
        assert isinstance(made, AnonymiseImage)
        assert (made.image_id, made.pathology) == ("i", "p")


async def test_a_file_of_another_source_is_not_fetched(tmp_path: Path, source: str) -> None:
    made = await fetch(sent(FetchImage(url=f"secret:{source}clean.dcm", **DESCRIBED)), keeping(tmp_path))

    assert isinstance(made, RejectImage)
    assert made.reason == "La URL de la imagen no está permitida"


async def test_a_source_that_does_not_answer_is_asked_again_later(tmp_path: Path, source: str) -> None:
    command = FetchImage(url=f"secret:{source}broken.dcm", attempt=2, **DESCRIBED)

    made = await fetch(sent(command), keeping(tmp_path, source))

    assert made == PostponeImage(**dict(command))


async def test_without_a_place_for_files_a_file_is_not_fetched(tmp_path: Path, source: str) -> None:
    nowhere = replace(keeping(tmp_path, source), settings=Settings(file_sources=[source], file_source_networks="127.0.0.1"))

    made = await fetch(sent(FetchImage(url=f"secret:{source}clean.dcm", **DESCRIBED)), nowhere)

    assert made == RejectImage(image_id="i", reason="No hay dónde guardar imágenes")


async def test_an_image_is_released_while_it_is_in_quarantine_and_its_file_is_deleted(tmp_path: Path) -> None:
    command = await upload(WITH_TEXT, tmp_path)
    assert isinstance(command, QuarantineImage)
    event = ImageQuarantined(
        quarantine_id=FIRST_ID, ingested_year=2024, file=command.file, **{name: getattr(command, name) for name in DESCRIBED}
    )
    waiting = keeping(tmp_path, image=Image(status="quarantined", quarantined=event))
    order = ReleaseImage(quarantine_id=FIRST_ID)

    made = await take_out(sent(order), waiting)

    stored = (tmp_path / "files" / made.file.key).read_bytes()
    assert (made.quarantine_id, made.modality, made.file.bytes) == (FIRST_ID, "CT", len(stored))
    assert NAME.encode() not in stored
    with pytest.raises(Rejected, match="no está en cuarentena"):
        await take_out(sent(order), keeping(tmp_path, image=Image(status="recorded")))
    deletion = DeleteQuarantinedFile(quarantine_id=FIRST_ID)
    for kept in (Image(status="quarantined"), Image(status="discarded", is_file_deleted=True)):
        await delete(sent(deletion), keeping(tmp_path, image=kept))
        assert (tmp_path / "files" / command.file.key).exists()
    assert await delete(sent(deletion), keeping(tmp_path, image=Image(status="recorded"))) == deletion
    assert not (tmp_path / "files" / command.file.key).exists()


def test_the_image_in_quarantine_is_named_by_its_id() -> None:
    assert released(None, {"id": str(FIRST_ID)}) == ReleaseImage(quarantine_id=FIRST_ID)
    assert discarded(None, {"id": str(FIRST_ID)}) == DiscardImage(quarantine_id=FIRST_ID)
    with pytest.raises(NotFound):
        released(None, {"id": "i-1"})
