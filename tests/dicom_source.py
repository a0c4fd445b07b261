"""A server that has one DICOM file, of a person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.unit.command_api.dicom.images import image, written


@asynccontextmanager
async def dicom_source() -> AsyncIterator[str]:
    """The address of a server with the file `image.dcm`."""

    async def file(_: web.Request) -> web.Response:
        return web.Response(body=written(image()))

    app = web.Application()
    app.router.add_get("/image.dcm", file)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))
