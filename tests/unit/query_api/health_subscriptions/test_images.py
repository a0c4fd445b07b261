"""Images are found by number or by the client's id, and each look-up is recorded."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from query_api.health_subscriptions.images import file, image, quarantine, quarantined_file, shown_in_quarantine, shown_request
from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.errors import Damaged, NotFound
from schemas.health_subscriptions.imaging import QueryImage
from schemas.health_subscriptions.views import ImageRequests, Images, QuarantinedImages
from schemas.message import Command
from schemas.values.dicom import DicomFile, quarantine_subject
from schemas.view import View
from streams.settings import Settings
from tests.unit.query_api.asking import request_of

ROW = Images(number=7, image_id="46769a88", modality="Rayos X", patient_id=UUID(int=1), ingested_year=2024).model_dump()


IN_QUARANTINE = QuarantinedImages(
    quarantine_id=UUID(int=3), image_id="q", file={"key": "quarantine/3", "bytes": 4, "reason": "posible texto"}
).model_dump()


class Keys:
    """Decrypts by turning around."""

    async def decrypt_file(self, subject: str, encrypted: bytes) -> bytes | None:
        return encrypted[::-1] if subject == quarantine_subject(UUID(int=3)) else None


FILE = DicomFile(
    key="images/a.dcm",
    sha256=sha256(b"DICM").hexdigest(),
    bytes=4,
    modality="CT",
    transfer_syntax="1",
    sop_class="2",
    rows=1,
    columns=1,
    frames=1,
).model_dump()


class Views:
    """Two images, one of them with a file, and one in quarantine."""

    async def row(self, request: Request, view: type[View], key: str) -> Any:
        if view is QuarantinedImages:
            return IN_QUARANTINE
        if key == "8":
            return {**ROW, "number": 8, "file": FILE}
        if key != "7":
            raise NotFound("no row")
        return ROW

    async def page(self, request: Request, view: type[View], *fixed: tuple[str, str]) -> Page:
        return Page([ROW] if ("image_id", "46769a88") in fixed else [], None)


class Commands:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Command] = []

    async def send(self, request: Request, commands: Iterable[tuple[Command, str]]) -> None:
        self.sent += [command for command, _ in commands]


def asked(id: str, folder: Path | None = None) -> tuple[QueryContext, Commands]:
    request, commands = request_of("/anonimizado"), Commands()
    request.path_params["id"] = id
    settings = Settings(files_url=None if folder is None else folder.as_uri())
    return QueryContext(request, Views(), commands, {}, settings, Keys()), commands  # type: ignore[arg-type]


@pytest.mark.parametrize("id", ["7", "007", "46769a88"])
async def test_an_image_is_shown_without_its_patient_and_the_look_up_is_recorded(id: str) -> None:
    context, commands = asked(id)

    shown = (await image(context)).body

    assert (shown.id, shown.id_imagen, shown.fecha_ingesta) == (7, "46769a88", 2024)
    assert (shown.fuente_de_datos, shown.antecedentes) == ("***ANONIMIZADO***", "***ANONIMIZADO***")
    assert commands.sent == [QueryImage(number_or_id=id)]


@pytest.mark.parametrize("id", ["9", "unknown"])
async def test_an_image_that_is_not_there_is_not_found_and_nothing_is_recorded(id: str) -> None:
    context, commands = asked(id)

    with pytest.raises(NotFound):
        await image(context)
    assert commands.sent == []


async def test_an_image_with_a_file_says_what_it_is_like_and_its_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.dcm").write_bytes(b"DICM")
    context, commands = asked("8", tmp_path)

    shown = (await image(context)).body
    answer = await file(context)

    assert (shown.id, shown.archivo.filas, shown.archivo.sha256) == (8, 1, FILE["sha256"])
    assert ([part async for part in answer.body], answer.media_type) == ([b"DICM"], "application/dicom")
    assert answer.headers == {"Content-Disposition": 'attachment; filename="8.dcm"'}
    assert commands.sent == [QueryImage(number_or_id="8")] * 2
    with pytest.raises(NotFound):
        await file(asked("7", tmp_path)[0])


async def test_a_file_in_quarantine_is_read_as_it_came_and_that_is_recorded(tmp_path: Path) -> None:
    id = str(UUID(int=3))
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "3").write_bytes(b"MCID")
    context, commands = asked(id, tmp_path)

    answer = await quarantined_file(context)

    assert (answer.body, answer.media_type) == (b"DICM", "application/dicom")
    assert commands.sent == [QueryImage(number_or_id=id)]


def test_an_image_in_quarantine_is_shown_with_the_reason() -> None:
    shown = shown_in_quarantine(IN_QUARANTINE)

    assert (shown.id_imagen, shown.motivo, shown.estado, shown.bytes) == ("q", "posible texto", "EN_CUARENTENA", 4)
    assert shown_in_quarantine({**IN_QUARANTINE, "status": "released", "file": None}).estado == "LIBERADA"


async def test_a_file_that_has_left_the_quarantine_is_not_found_and_nothing_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context, commands = asked(str(UUID(int=3)))
    monkeypatch.setitem(IN_QUARANTINE, "file", None)

    with pytest.raises(NotFound):
        await quarantined_file(context)
    assert commands.sent == []


@pytest.mark.parametrize("content", [None, b"DIC", b"DICN"])
async def test_a_file_that_is_missing_or_altered_is_not_served(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "images").mkdir()
    if content is not None:
        (tmp_path / "images" / "a.dcm").write_bytes(content)

    with pytest.raises(Damaged):
        [part async for part in (await file(asked("8", tmp_path)[0])).body]


def test_a_request_is_shown_in_the_clients_words() -> None:
    row = ImageRequests(request_id=UUID(int=1), image_id="i", status="postponed", reason="r").model_dump()

    assert shown_request(row).model_dump() == {
        "id": UUID(int=1),
        "id_imagen": "i",
        "estado": "EN_ESPERA",
        "numero": None,
        "motivo": "r",
    }


@pytest.mark.parametrize(
    ("query", "fixed"),
    [
        ("", (("status", "quarantined"), ("sort", "quarantined_at"))),
        ("estado=LIBERADA", (("sort", "quarantined_at"),)),
        ("status=released&sort=image_id", ()),
    ],
)
async def test_images_that_wait_are_shown_unless_others_are_asked_for(query: str, fixed: tuple[tuple[str, str], ...]) -> None:
    request, found = request_of("/procesamiento/cuarentena", query), list[Any]()

    class Quarantined:
        async def page(self, request: Request, view: type[View], *given: tuple[str, str], translated: Any) -> Page:
            found.extend(given)
            assert dict(translated("estado", "liberada")) == {"status": "released"}
            return Page([IN_QUARANTINE], None)

    answer = await quarantine(QueryContext(request, Quarantined(), None, {}, None, None))  # type: ignore[arg-type]

    assert tuple(found) == fixed
    assert [one.estado for one in answer.body] == ["EN_CUARENTENA"]
