"""Consistency tokens of reads: a read waits until its view has seen the write that its token names."""

import asyncio

from schemas.consistency_token import ConsistencyToken
from schemas.errors import NotYetSeen
from streams.subscriptions.checkpoints import Checkpoints

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.02


class ConsistencyWaiter:
    """Makes reads of one view wait for writes. All waiting reads share one query of the view's checkpoints at a time.

    read A ─┐                   ┌─ A is released: the checkpoint is at its position
    read B ─┼─► _poll: query ───┤
    read C ─┘     ▲    pause    └─ B and C wait for the next query
                  └──────────┘
    """

    def __init__(self, checkpoints: Checkpoints, view: str, longest_seconds: float) -> None:
        self._checkpoints, self._view, self._longest = checkpoints, view, longest_seconds
        self._waiting: dict[asyncio.Future[None], ConsistencyToken] = {}
        self._polling: asyncio.Task[None] | None = None
        self._pause = _FIRST_PAUSE

    async def until_seen(self, token: ConsistencyToken) -> None:
        """Returns once the view has seen the write that a token names; raises `NotYetSeen` after the longest wait.

        A view that does not read the token's context never sees the write; that raises `NotYetSeen` as well. Raises
        `Unavailable` while the database of the views is out of reach.
        """
        seen = asyncio.get_running_loop().create_future()
        self._waiting[seen] = token
        self._pause = _FIRST_PAUSE
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(self._longest):
                await seen
        except TimeoutError:
            raise NotYetSeen(f"the view {self._view} has not seen {token} within {self._longest:g} s") from None
        finally:
            self._waiting.pop(seen, None)

    async def _poll(self) -> None:
        """Queries the checkpoints until no read waits; the pause grows while no new read comes."""
        try:
            while waiting := dict(self._waiting):
                checkpoints = await self._checkpoints.all()
                for seen, token in waiting.items():
                    if checkpoints.get(token.context, {}).get(token.partition, 0) >= token.position and not seen.done():
                        seen.set_result(None)
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
