"""A server that has one DICOM file, of a person."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.unit.command_api.dicom.images import image, written


def datasets_from(source: str) -> Mapping[str, str]:
    """The environment of a stack of the medical datasets that fetches from a source, and fails where a packet says so."""
    return {
        "CAUDAL_SYSTEMS": "medical_datasets",
        "CAUDAL_DEMO_FAILURES": "0.000001",
        "CAUDAL_FILE_SOURCES": f'["{source}"]',
        "CAUDAL_FILE_SOURCE_NETWORKS": "127.0.0.1",
    }


@asynccontextmanager
async def dicom_source() -> AsyncIterator[str]:
    """The address of a server with the file `image.dcm`."""

    async def file(_: web.Request) -> web.Response:
        return web.Response(body=written(image()))

    app = web.Application()
    app.router.add_get("/image.dcm", file)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))
