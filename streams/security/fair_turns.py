"""Turns at a scarce resource, shared fairly between groups of clients::

    waiting places      a1 a2 a3 a4 a5 (full)     b1 arrives: a5 gives its place up
    turns               a1 b1 a2 a3 a4            one group after the other

A group that asks for much delays itself. The places are those of one purpose: a flood of one purpose takes none of another's.
If turns are long, a group may have fewer at a time than there are, so that another group need not wait for any of them to end.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.errors import Unavailable

_Group = tuple[str, str]


class FairTurns:
    """Gives turns to a few at a time, and lets a bounded number wait."""

    def __init__(self, at_once: int, places: int, at_once_of_group: int | None = None) -> None:
        self._free, self._places = at_once, places
        self._at_once_of_group = at_once if at_once_of_group is None else at_once_of_group
        self._turns: Counter[_Group] = Counter()
        """Number of the current turns of each group."""
        self._waiting: dict[_Group, deque[asyncio.Future[None]]] = {}
        """Groups in the order of their next turn, each with its waiting clients, in order of their arrival."""

    @asynccontextmanager
    async def turn(self, purpose: str, client: str) -> AsyncIterator[None]:
        """Waits for a turn of the block; raises `Unavailable` if there is no place to wait, or if the place is given away."""
        group = (purpose, client)
        if self._free > 0 and self._may_have_another(group):
            self._free -= 1
            self._turns[group] += 1
        else:
            await self._wait(group)
        try:
            yield
        finally:
            self._pass_on(group)

    async def _wait(self, group: _Group) -> None:
        self._make_room(group)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(group, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:  # the turn came just then
                self._pass_on(group)
            else:
                self._leave(group, mine)
            raise

    def _make_room(self, group: _Group) -> None:
        rivals = {other: queue for other, queue in self._waiting.items() if other[0] == group[0]}
        if sum(map(len, rivals.values())) < self._places:
            return
        longest = max(rivals, key=lambda other: len(rivals[other]))
        if len(rivals[longest]) <= len(rivals.get(group, ())) + 1:
            raise Unavailable("too many others wait: try again later")
        last = rivals[longest][-1]
        self._leave(longest, last)
        last.set_exception(Unavailable("too many others wait: try again later"))

    def _leave(self, group: _Group, waiting: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(group)
        if queue is None or waiting not in queue:
            return  # its place was given away
        queue.remove(waiting)
        if not queue:
            del self._waiting[group]

    def _may_have_another(self, group: _Group) -> bool:
        return self._turns[group] < self._at_once_of_group

    def _pass_on(self, last: _Group) -> None:
        self._turns[last] -= 1
        if not self._turns[last]:
            del self._turns[last]
        group = next(filter(self._may_have_another, self._waiting), None)
        if group is None:
            self._free += 1
            return
        queue = self._waiting.pop(group)
        self._turns[group] += 1
        queue.popleft().set_result(None)
        if queue:
            self._waiting[group] = queue  # the last one in turn
