"""Images and texts: what is recorded of a request names nobody, and an image is kept as the sources and the file allow."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aggregates.medical_datasets.anonymisation import AnonymisedImage, image_key
from command_api.handling.activities import ActivityContext
from command_api.medical_datasets.images import anonymise, delete, scrub
from schemas.medical_datasets.anonymisation import (
    AnonymiseImage,
    FailAnonymisation,
    PostponeImage,
    RecordImage,
    RequestAnonymisation,
    RollbackAnonymisation,
    StartAnonymisation,
)
from schemas.medical_datasets.parts import REMOVED, Packet
from streams.settings import Settings
from tests.unit.aggregates.medical_datasets.packets import ID, IMAGE, PACKET, TOKEN
from tests.unit.command_api.activity_context import context_of, sent
from tests.unit.command_api.dicom.images import NAME, image, written

CLEAN, WITH_TEXT = written(image()), written(image(BurnedInAnnotation="YES"))

NONE = AnonymisedImage()


def keeping(folder: Path | None, *sources: str, image: AnonymisedImage = NONE) -> ActivityContext:
    settings = Settings(
        files_url=None if folder is None else folder.as_uri(),
        file_sources=list(sources),
        file_source_networks="127.0.0.1",
        max_file_bytes=9000,
    )
    return replace(context_of(anonymisedimage=image), settings=settings)


def fetch(url: str | None) -> AnonymiseImage:
    return AnonymiseImage(saga_id=ID, token=TOKEN, packet=PACKET, image_url=None if url is None else f"secret:{url}")


def request(packet: Packet, **patient: str) -> RequestAnonymisation:
    """Returns a request as the activity gets it: encrypted."""
    fields: dict[str, Any] = dict.fromkeys(RequestAnonymisation.model_fields) | {
        "packet_json": packet.model_dump_json(),
        **patient,
    }
    return RequestAnonymisation.model_construct(None, **{name: value and f"secret:{value}" for name, value in fields.items()})


@pytest.fixture
async def source() -> AsyncIterator[str]:
    files = {"clean.dcm": CLEAN, "text.dcm": WITH_TEXT, "none.dcm": b"no image", "large.dcm": b"x" * 10_000}

    async def file(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "broken.dcm":
            return web.Response(status=500)
        return web.Response(body=files[name]) if name in files else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{name}", file)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_what_is_recorded_of_a_request_names_nobody() -> None:
    packet = Packet(clinical_notes="Ana Restrepo, tel. 3001234567", data={"médico": "ana restrepo"})
    command = request(packet, record_id="HC-9", name="Ana Restrepo", phone="300 123 4567", image_url="http://a/ana")

    found = await scrub(sent(command), context_of())

    assert isinstance(found, StartAnonymisation)
    assert found.packet == Packet(clinical_notes=f"{REMOVED}, tel. {REMOVED}", data={"médico": REMOVED})
    assert (found.record_id, found.name, found.image_url) == ("secret:HC-9", "secret:Ana Restrepo", "secret:http://a/ana")
    assert found.address is None


async def test_a_request_whose_patient_was_erased_fails() -> None:
    erased = request(Packet()).model_copy(update={"packet_json": "encrypted:1:x:y"})
    assert await scrub(sent(erased), context_of()) == FailAnonymisation(reason="Los datos del paciente fueron borrados")


async def test_texts_that_are_too_long_afterwards_fail_the_request() -> None:
    packet = Packet(clinical_notes="Pedro " * 3000)
    found = await scrub(sent(request(packet, name="Pedro")), context_of())
    assert found == FailAnonymisation(reason="Los textos son demasiado largos")


def test_a_packet_that_is_none_is_no_request() -> None:
    with pytest.raises(ValueError, match="must be a packet as JSON"):
        RequestAnonymisation(packet_json="{")


@pytest.mark.parametrize("url", [None, "http://127.0.0.1/x.dcm"])
async def test_without_sources_nothing_is_fetched(tmp_path: Path, url: str | None) -> None:
    assert await anonymise(sent(fetch(url)), keeping(tmp_path)) == RecordImage(
        saga_id=ID, token=TOKEN, packet=PACKET, file=None
    )


async def test_an_image_is_kept_without_its_person_and_deleted(tmp_path: Path, source: str) -> None:
    for _ in range(2):
        found = await anonymise(sent(fetch(f"{source}clean.dcm")), keeping(tmp_path, source))

    assert isinstance(found, RecordImage) and found.file is not None
    kept = tmp_path / image_key(ID)
    assert found.file.key == image_key(ID)
    assert NAME.encode() not in kept.read_bytes() and len(kept.read_bytes()) == found.file.bytes

    await delete(sent(RollbackAnonymisation(saga_id=ID)), keeping(tmp_path, image=AnonymisedImage(status="started")))
    assert kept.exists()
    anonymised = AnonymisedImage(status="anonymised", file=IMAGE.model_copy(update={"key": image_key(ID)}))
    for _ in range(2):
        await delete(sent(RollbackAnonymisation(saga_id=ID)), keeping(tmp_path, image=anonymised))
    assert not kept.exists()


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("text.dcm", FailAnonymisation(saga_id=ID, reason="posible texto en la imagen")),
        ("none.dcm", FailAnonymisation(saga_id=ID, reason="no es un archivo DICOM")),
        ("large.dcm", FailAnonymisation(saga_id=ID, reason="La imagen es demasiado grande")),
        ("missing.dcm", FailAnonymisation(saga_id=ID, reason="La fuente no tiene la imagen")),
        ("broken.dcm", PostponeImage(saga_id=ID, attempt=1)),
    ],
)
async def test_an_image_that_cannot_be_kept_says_why(tmp_path: Path, source: str, name: str, outcome: Any) -> None:
    assert await anonymise(sent(fetch(f"{source}{name}")), keeping(tmp_path, source)) == outcome
    assert list(tmp_path.iterdir()) == []


async def test_an_image_from_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    found = await anonymise(sent(fetch("http://127.0.0.1:9/x.dcm")), keeping(tmp_path, "http://other.example/"))
    assert found == FailAnonymisation(saga_id=ID, reason="La URL de la imagen no está permitida")
    found = await anonymise(sent(fetch("http://other.example/x.dcm")), keeping(None, "http://other.example/"))
    assert found == FailAnonymisation(saga_id=ID, reason="No hay dónde guardar imágenes")
