"""TLS before a PostgreSQL that was built without it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from deploy.local.ports import LOOPBACK
from tests.authority import Authority

_TLS_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""The first message of a client that wants TLS; a server that has it answers ``S``."""


class TlsProxy:
    """A server that speaks TLS as PostgreSQL does and forwards what it decrypts. It accepts no connection without TLS."""

    def __init__(self, behind: int, authority: Authority, *, asks_for_certificate: bool = False) -> None:
        """``behind`` is the port of a PostgreSQL; clients may have to show a certificate of the same authority."""
        self._behind, self._clients_authority = behind, authority if asks_for_certificate else None
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._connections: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.certify(authority)

    def certify(self, authority: Authority) -> None:
        """Shows a certificate of an authority, for 127.0.0.1, from now on, and ends all connections."""
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(authority.certificate("server", LOOPBACK))
        if self._clients_authority is not None:
            self._context.load_verify_locations(self._clients_authority.file)
            self._context.verify_mode = ssl.CERT_REQUIRED
        for writer in self._connections:
            writer.transport.abort()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for writer in self._connections:
                writer.transport.abort()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await client.readexactly(len(_TLS_REQUEST)) == _TLS_REQUEST:
                to_client.write(b"S")
                await to_client.start_tls(self._context)
                await self._forward(client, to_client)
        to_client.transport.abort()

    async def _forward(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(LOOPBACK, self._behind)
        both = {to_client, to_server}
        self._connections |= both
        try:
            await asyncio.gather(_copy(client, to_server), _copy(server, to_client))
        finally:
            self._connections -= both
            to_server.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()
