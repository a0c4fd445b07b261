"""A faulty connection: a proxy that holds back what passes through it, and cuts connections in the middle of an answer."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from deploy.local.ports import LOOPBACK


class FaultyConnection:
    """Forwards connections to a port; of what the server answers, some comes late and some never."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port, self._random = port, chance
        self._open: set[asyncio.StreamWriter] = set()
        self.cuts = 0

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            server, request = await asyncio.open_connection(LOOPBACK, self._port)
        except OSError:
            answer.close()
            return
        self._open |= {request, answer}
        forward = asyncio.create_task(_pump(client, request))
        try:
            while data := await server.read(65536):
                chance = self._random.random()
                if chance < 0.005:
                    self.cuts += 1  # the server has done it, and the client will never hear
                    break
                if chance < 0.03:
                    await asyncio.sleep(self._random.uniform(0.05, 0.8))
                answer.write(data)
                await answer.drain()
        except OSError:
            pass
        finally:
            forward.cancel()
            for end in (request, answer):
                self._open.discard(end)
                end.close()

    def close(self) -> None:
        """Cuts every open connection."""
        for end in list(self._open):
            end.close()


@asynccontextmanager
async def faulty_connection(port: int, chance: random.Random) -> AsyncIterator[tuple[FaultyConnection, int]]:
    """A faulty connection to a port of this machine, and the port at which it begins."""
    faulty = FaultyConnection(port, chance)
    server = await asyncio.start_server(faulty.serve, LOOPBACK, 0)
    try:
        yield faulty, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        faulty.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
