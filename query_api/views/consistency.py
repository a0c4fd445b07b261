"""Consistency tokens of reads: a read waits until its view has seen the write that its token names.

A view may be emptied, or replaced by another version, between the wait and the read. Both change the generation of its
checkpoints: a read that finds another generation afterwards is repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from schemas.consistency_token import ConsistencyToken
from schemas.errors import NotYetSeen
from streams.subscriptions.checkpoints import Checkpoint, Checkpoints

T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.02
_NEVER = Checkpoint(0, 0)
_LAST_LOOK_SECONDS = 1.0
"""A read that took all of the wait is still compared with the checkpoints."""


class ConsistencyWaiter:
    """Makes reads of one view wait for writes. All waiting reads share one query of the view's checkpoints at a time.

    read A ─┐                   ┌─ A is released: the checkpoint is at its position
    read B ─┼─► _poll: query ───┤
    read C ─┘     ▲    pause    └─ B and C wait for the next query
                  └──────────┘
    """

    def __init__(self, checkpoints: Checkpoints, view: str, longest_seconds: float) -> None:
        self._checkpoints, self._view, self._longest = checkpoints, view, longest_seconds
        self._waiting: dict[asyncio.Future[int], ConsistencyToken] = {}
        self._polling: asyncio.Task[None] | None = None
        self._pause = _FIRST_PAUSE

    async def read(self, token: ConsistencyToken | None, work: Callable[[], Awaitable[T]]) -> T:
        """Returns the result of a read that shows the write that a token names; without a token it reads at once.

        Raises `NotYetSeen` if the view has not seen the write within the longest wait, and what ``work`` raises.
        """
        if token is None:
            return await work()
        loop = asyncio.get_running_loop()
        give_up, generation = loop.time() + self._longest, await self.until_seen(token)
        while True:
            result = await work()
            before, generation = generation, await self.until_seen(token, max(give_up - loop.time(), _LAST_LOOK_SECONDS))
            if generation == before:
                return result

    async def until_seen(self, token: ConsistencyToken, seconds: float | None = None) -> int:
        """Returns once the view has seen the write that a token names; raises `NotYetSeen` after the longest wait.

        Returns the generation of the checkpoint that shows it. ``seconds`` replaces the longest wait.

        A view that does not read the token's context never sees the write; that raises `NotYetSeen` as well. Raises
        `Unavailable` while the database of the views is out of reach.
        """
        seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[seen] = token
        self._pause = _FIRST_PAUSE
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(self._longest if seconds is None else seconds):
                return await seen
        except TimeoutError:
            raise NotYetSeen(f"the view {self._view} has not seen {token} within {self._longest:g} s") from None
        finally:
            self._waiting.pop(seen, None)

    async def _poll(self) -> None:
        """Queries the checkpoints until no read waits; the pause grows while no new read comes."""
        try:
            while waiting := dict(self._waiting):
                checkpoints = await self._checkpoints.states()
                for seen, token in waiting.items():
                    checkpoint = checkpoints.get((token.context, token.partition), _NEVER)
                    if checkpoint.position >= token.position and not seen.done():
                        seen.set_result(checkpoint.generation)
                        del self._waiting[seen]
                if self._waiting:
                    await asyncio.sleep(self._pause)
                    self._pause = min(1.5 * self._pause, _LONGEST_PAUSE)
        except Exception as error:
            for seen in self._waiting:
                if not seen.done():
                    seen.set_exception(error)
            self._waiting.clear()
        finally:
            self._polling = None
