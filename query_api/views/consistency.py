"""Consistency tokens of reads: a read waits until its view has seen the write that its token names.

A view may be emptied, or replaced by another version, between the wait and the read. Both change the generation of its
checkpoints: a read that finds another generation afterwards is repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from schemas.consistency_token import ConsistencyToken
from schemas.errors import NotYetSeen
from schemas.system import ContextName
from streams.subscriptions.checkpoints import Checkpoint, Checkpoints

T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.02
_NEVER = Checkpoint(0, 0)
_LAST_LOOK_SECONDS = 1.0
"""A read that took all of the wait is still compared with the checkpoints."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The writes that a read waits for."""

    tokens: tuple[ConsistencyToken, ...] = ()
    seconds: float | None = None
    """The longest wait; ``None``: that of the installation."""
    is_lenient: bool = False
    """Whether tokens of contexts that the view does not read are ignored, and the read is answered after its longest wait."""


class ConsistencyWaiter:
    """Makes reads of one view wait for writes. All waiting reads share one query of the view's checkpoints at a time.

    read A ─┐                   ┌─ A is released: the checkpoint is at its position
    read B ─┼─► _poll: query ───┤
    read C ─┘     ▲    pause    └─ B and C wait for the next query
                  └──────────┘
    """

    def __init__(self, checkpoints: Checkpoints, view: str, longest_seconds: float) -> None:
        self._checkpoints, self._view, self._longest = checkpoints, view, longest_seconds
        self._followed: frozenset[ContextName] | None = None
        """The contexts that the view reads, once they are known; another version of the view is another process."""
        self._waiting: dict[asyncio.Future[int], ConsistencyToken] = {}
        self._polling: asyncio.Task[None] | None = None
        self._pause = _FIRST_PAUSE

    async def read(self, wait: Wait, work: Callable[[], Awaitable[T]]) -> T:
        """Returns the result of a read that shows the writes that tokens name; without tokens it reads at once.

        Raises `NotYetSeen` if the view has not seen the writes within the longest wait, and what ``work`` raises.
        """
        if wait.is_lenient and wait.tokens:
            wait = await self._without_other_contexts(wait)
        if not wait.tokens:
            return await work()
        try:
            return await self._consistent(wait, work)
        except NotYetSeen:
            if wait.is_lenient:
                return await work()
            raise

    async def _without_other_contexts(self, wait: Wait) -> Wait:
        """Returns the wait without the tokens of contexts that the view does not read, as the last migration noted them."""
        if self._followed is None and (followed := (await self._checkpoints.control_state()).followed) is not None:
            self._followed = frozenset(followed)
        if self._followed is None:
            return wait
        return replace(wait, tokens=tuple(token for token in wait.tokens if token.context in self._followed))

    async def _consistent(self, wait: Wait, work: Callable[[], Awaitable[T]]) -> T:
        loop = asyncio.get_running_loop()
        give_up, generations = loop.time() + self._seconds(wait), await self.until_seen(wait)
        while True:
            result = await work()
            before, left = generations, max(give_up - loop.time(), _LAST_LOOK_SECONDS)
            generations = await self.until_seen(wait, left)
            if generations == before:
                return result

    async def until_seen(self, wait: Wait, seconds: float | None = None) -> list[int]:
        """Returns once the view has seen the writes that tokens name; raises `NotYetSeen` after the longest wait.

        Returns the generations of the checkpoints that show them. ``seconds`` replaces the longest wait.

        A view that does not read a token's context never sees the write; that raises `NotYetSeen` as well, unless the wait is
        lenient. Raises `Unavailable` while the database of the views is out of reach.
        """
        loop = asyncio.get_running_loop()
        seen: dict[asyncio.Future[int], ConsistencyToken] = {loop.create_future(): token for token in wait.tokens}
        self._waiting.update(seen)
        self._pause = _FIRST_PAUSE
        if self._polling is None:
            self._polling = asyncio.create_task(self._poll())
        longest = self._seconds(wait)
        try:
            async with asyncio.timeout(longest if seconds is None else seconds):
                return await asyncio.gather(*seen)
        except TimeoutError:
            missed = next(token for future, token in seen.items() if future.cancelled())
            raise NotYetSeen(f"the view {self._view} has not seen {missed} within {longest:g} s") from None
        finally:
            for future in seen:
                self._waiting.pop(future, None)

    def _seconds(self, wait: Wait) -> float:
        return self._longest if wait.seconds is None else min(wait.seconds, self._longest)

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
