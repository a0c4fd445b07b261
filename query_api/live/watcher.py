"""One client of a live view: its position, and the chunks that wait to be sent to it.

The states, and what changes them:

    new client ─► BEHIND ─────── collect ──────► FOLLOWING
                    ▲                              │  ▲
                    └────── the queue is full ─────┘  │ collect
    any state ───── the database is older ──────► REWOUND

`BEHIND` has missed chunks: it reads alone, from its own position. `FOLLOWING` gets every chunk of the shared reading through
its queue. `REWOUND` reads alone as well, but from the beginning: its position means nothing in the restored database.
"""

import asyncio
from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from query_api.views.paging import Row

MAX_WAITING = 10
"""Chunks that wait for one client; a client that is slower reads alone."""


class Chunk(NamedTuple):
    """Rows that changed together."""

    rows: Sequence[Row]
    up_to: int
    """The transaction up to which no change is missing."""


class State(Enum):
    """The source of a watcher's next rows."""

    BEHIND = auto()
    FOLLOWING = auto()
    REWOUND = auto()


class Watcher:
    """A client of a live view. The shared reading calls `offer` and `rewind`; the client's own task calls the rest."""

    def __init__(self, position: int) -> None:
        self.position = position
        """The transaction up to which the client has every change."""
        self.state = State.BEHIND
        self._waiting: asyncio.Queue[Chunk] = asyncio.Queue(MAX_WAITING)

    def offer(self, chunk: Chunk) -> None:
        """Queues a chunk. A watcher whose queue is full falls behind, and loses what it is offered until it collects again."""
        if self.state is State.FOLLOWING:
            try:
                self._waiting.put_nowait(chunk)
            except asyncio.QueueFull:
                self.state = State.BEHIND

    def rewind(self) -> None:
        """Marks that the database is older than it was, as after a backup was restored."""
        self.state = State.REWOUND

    def collect(self) -> None:
        """Collects the chunks that are offered from now on; what was queued is dropped, the client reads that alone."""
        if self.state is State.REWOUND:
            self.position = 0
        self.state, self._waiting = State.FOLLOWING, asyncio.Queue(MAX_WAITING)

    async def take(self, seconds: float) -> Chunk | None:
        """Returns the next chunk above the position, and moves there; ``None`` if none comes within some seconds."""
        try:
            async with asyncio.timeout(seconds):
                chunk = await self._waiting.get()
        except TimeoutError:
            return None
        if chunk.up_to <= self.position:
            return None
        self.position = chunk.up_to
        return chunk
