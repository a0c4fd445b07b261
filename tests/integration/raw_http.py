"""A server, and raw connections to it: what no client library would send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from command_api.http.body import read_body
from deploy.local.ports import LOOPBACK, free_ports
from deploy.serving.serve import Server
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.http.request_context import context_of
from streams.settings import Settings

SETTINGS = Settings(max_header_bytes=2000, max_request_arrival_seconds=1, max_body_bytes=100_000)


@asynccontextmanager
async def connected(settings: Settings = SETTINGS) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server whose ``/echo`` says how many bytes came, and ``/count`` reads them after some time."""

    async def echo(request: Request) -> Response:
        body = await read_body(request, context_of(request).headers, SETTINGS.max_body_bytes)
        return Response(str(len(body)))

    async def wait(_: Request) -> Response:
        await asyncio.sleep(0.3)
        return Response("done")

    async def live(_: Request) -> Response:
        return Response("alive")

    async def slow(_: Request) -> Response:
        async def parts() -> AsyncIterator[str]:
            while True:
                yield "part\n"
                await asyncio.sleep(0.1)

        return StreamingResponse(parts())

    async def count(request: Request) -> Response:
        await asyncio.sleep(float(request.query_params["after"]) * SETTINGS.max_request_arrival_seconds)
        return Response(str(sum([len(part) async for part in request.stream()])))

    app = Starlette(
        routes=[
            Route("/echo", echo, methods=["POST"]),
            Route("/count", count, methods=["POST"]),
            Route("/slow", slow),
            Route("/wait", wait),
            Route("/livez", live),
        ],
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    port = free_ports(1)[0]
    server = Server(app, LOOPBACK, port, settings)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        yield reader, writer
    finally:
        writer.close()
        server.stop()
        await serving


def head(length: int, *more: str, path: str = "/echo") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


async def answered(reader: asyncio.StreamReader) -> str:
    return (await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)).decode().strip()
