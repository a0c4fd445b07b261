"""Fetching of DICOM files: the file, or the reason why there is none."""

from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from command_api.dicom.fetching import NotFetched, fetched
from schemas.errors import Unavailable
from streams.settings import Settings
from tests.unit.command_api.activity_context import context_of


async def test_a_file_or_the_reason_why_there_is_none(tmp_path: Path) -> None:
    async def file(request: web.Request) -> web.Response:
        size = {"small": 10, "large": 200}.get(request.match_info["name"])
        return web.Response(status=404) if size is None else web.Response(body=b"x" * size)

    app = web.Application()
    app.router.add_get("/{name}", file)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        settings = Settings(
            files_url=tmp_path.as_uri(), file_sources=[url], file_source_networks="127.0.0.1", max_file_bytes=100
        )
        context = replace(context_of(), settings=settings)
        assert await fetched(f"{url}small", 1, context) == b"x" * 10
        for name, why in (
            (f"{url}none", "La fuente no tiene la imagen"),
            (f"{url}large", "La imagen es demasiado grande"),
            ("http://127.0.0.2/small", "La URL de la imagen no está permitida"),
        ):
            with pytest.raises(NotFetched) as raised:
                await fetched(name, 1, context)
            assert raised.value.detail == why
        with pytest.raises(NotFetched, match="No hay dónde guardar"):
            await fetched(f"{url}small", 1, replace(context, settings=Settings(file_sources=[url])))
    with pytest.raises(Unavailable):
        await fetched(f"{url}small", 2, context)
