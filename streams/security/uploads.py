"""Uploads: files as the bodies of requests, a few at a time, so that those of all clients together do not fill the memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from streams.http.bodies import read_limited
from streams.http.request_context import context_of
from streams.security.fair_turns import FairTurns

TURNS = 4
_TURNS_OF_CLIENT = 2
_PLACES = 64


class Uploads:
    """The files that a process receives: `TURNS` of them are in memory, others wait in their senders' connections."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._turns = FairTurns(TURNS, _PLACES, _TURNS_OF_CLIENT)

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[bytes]:
        """Receives the file in a request's body, for the time of the block.

        Raises `TooLarge`, `Unavailable` if too many wait, and `ClientDisconnect` if the client is gone.
        """
        async with self._turns.turn("upload", context_of(request).counted_as):
            yield await read_limited(request, self._max_bytes)
