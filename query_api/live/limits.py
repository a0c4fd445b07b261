"""The number of live views and live logs that are open in this process at a time."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.types import Receive, Scope, Send

from schemas.errors import TooManyRequests, Unavailable

_PING_SECONDS = 15


class ConnectionLimit:
    """Counts open live views and logs: all of them, and those of each caller, who may have a tenth of them."""

    def __init__(self, maximum: int) -> None:
        self._maximum, self._maximum_of_one = maximum, max(1, maximum // 10)
        self._open: Counter[str] = Counter()

    @contextmanager
    def connected(self, caller: str) -> Iterator[None]:
        """Counts a caller's live view inside the block.

        Raises `TooManyRequests` if the caller has too many, `Unavailable` if all callers together do.
        """
        if self._open[caller] >= self._maximum_of_one:
            raise TooManyRequests(f"one caller may have {self._maximum_of_one} live views open; close one", retry_after=10)
        if self._open.total() >= self._maximum:
            raise Unavailable("too many live views are open")
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            self._open += Counter()  # removes callers without an open view


class LiveResponse(EventSourceResponse):
    """A stream of events that counts as an open live view from before its first byte until it ends, however it ends."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], limit: ConnectionLimit, caller: str) -> None:
        super().__init__(events, ping=_PING_SECONDS)
        self._limit, self._caller = limit, caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._limit.connected(self._caller):
            await super().__call__(scope, receive, send)
