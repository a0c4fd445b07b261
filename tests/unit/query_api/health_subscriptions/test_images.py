"""Images are found by number or by the client's id, and each look-up is recorded."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from query_api.health_subscriptions.images import image
from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.errors import NotFound
from schemas.health_subscriptions.imaging import QueryImage
from schemas.health_subscriptions.views import Images
from schemas.message import Command
from schemas.view import View
from tests.unit.query_api.asking import request_of

ROW = Images(number=7, image_id="46769a88", modality="Rayos X", patient_id=UUID(int=1), ingested_year=2024).model_dump()


class Views:
    """One image."""

    async def row(self, request: Request, view: type[View], key: str) -> Any:
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


def asked(id: str) -> tuple[QueryContext, Commands]:
    request, commands = request_of("/anonimizado"), Commands()
    request.path_params["id"] = id
    return QueryContext(request, Views(), commands, {}), commands  # type: ignore[arg-type]


@pytest.mark.parametrize("id", ["7", "007", "46769a88"])
async def test_an_image_is_shown_without_its_patient_and_the_look_up_is_recorded(id: str) -> None:
    context, commands = asked(id)

    shown = (await image(context)).body

    assert (shown.id, shown.id_imagen, shown.fecha_ingesta) == (7, "46769a88", 2024)
    assert (shown.fuente_de_datos, shown.antecedentes) == ("***ANONIMIZADO***", "***ANONIMIZADO***")
    assert commands.sent == [QueryImage(number_or_id=id)]


@pytest.mark.parametrize("id", ["8", "unknown"])
async def test_an_image_that_is_not_there_is_not_found_and_nothing_is_recorded(id: str) -> None:
    context, commands = asked(id)

    with pytest.raises(NotFound):
        await image(context)
    assert commands.sent == []
