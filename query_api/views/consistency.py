"""Consistency tokens on the read side: a read waits, within bounds, until its view has seen the write."""

import asyncio

from schemas.consistency_token import ConsistencyToken
from schemas.errors import NotYetSeen
from streams.subscriptions.checkpoints import Checkpoints

_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.02


class Waits:
    """Lets reads of one view wait for writes. However many wait, the view's checkpoints are asked for once at a time."""

    def __init__(self, checkpoints: Checkpoints, view: str, longest_seconds: float) -> None:
        self._checkpoints, self._view, self._longest = checkpoints, view, longest_seconds
        self._waiting: dict[asyncio.Future[None], ConsistencyToken] = {}
        self._looking: asyncio.Task[None] | None = None
        self._pause = _FIRST_PAUSE

    async def until_seen(self, token: ConsistencyToken) -> None:
        """Returns once the view has seen the write that the token names; raises `NotYetSeen` after the longest wait.

        A view that is not fed by the token's context never sees the write; that too is reported as not yet seen. Raises
        `Unavailable` while the views are out of reach.
        """
        seen = asyncio.get_running_loop().create_future()
        self._waiting[seen] = token
        self._pause = _FIRST_PAUSE
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            async with asyncio.timeout(self._longest):
                await seen
        except TimeoutError:
            raise NotYetSeen(f"the view {self._view} has not seen {token} within {self._longest:g} s") from None
        finally:
            self._waiting.pop(seen, None)

    async def _look(self) -> None:
        """Looks until nobody waits any more, ever more seldom while nobody new comes."""
        try:
            while asked := dict(self._waiting):
                stands = await self._checkpoints.all()
                for seen, token in asked.items():
                    if stands.get(token.context, {}).get(token.partition, 0) >= token.position and not seen.done():
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
            self._looking = None
