"""The newest frames, which every socket of a process sends at its own pace: one copy for all of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

MAX_FRAMES = 10_000
_MARGIN = timedelta(seconds=60)
"""Frames of different partitions may have come in another order to the process that a client was connected to before."""


class Frame(NamedTuple):
    """One record as its clients get it."""

    id: str
    """The event's id."""
    at: datetime
    text: str


class LeftBehind(Exception):
    """A reader is so slow that frames which it has not got are dropped."""


class History:
    """The newest frames in the order in which they came; older ones are dropped. No frame is kept twice."""

    def __init__(self, max_frames: int = MAX_FRAMES) -> None:
        self._frames: deque[Frame] = deque(maxlen=max_frames)
        self._ids: set[str] = set()
        self._dropped = 0
        self._changed = asyncio.Event()

    @property
    def end(self) -> int:
        """The number of the next frame: how many have come."""
        return self._dropped + len(self._frames)

    def add(self, frames: Iterable[Frame]) -> None:
        """Adds frames, and wakes the readers."""
        for frame in frames:
            if frame.id in self._ids:
                continue
            if len(self._frames) == self._frames.maxlen:
                self._ids.discard(self._frames[0].id)
                self._dropped += 1
            self._frames.append(frame)
            self._ids.add(frame.id)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, id: str | None) -> AsyncIterator[Frame]:
        """Yields frames for ever: the new ones, and before them those after the frame with an id.

        Without the id of a frame that is kept, all frames that are kept come first. A reader may get frames again that came
        about the time of that frame: they have the same ids. Raises `LeftBehind`.
        """
        next, skipped = self.end, id
        if id is not None:
            since = next_at if (next_at := self._time_of(id)) is None else next_at - _MARGIN
            next = self._dropped + sum(1 for _ in self._before(since))
        while True:
            if next < self._dropped:
                raise LeftBehind
            changed = self._changed
            while self._dropped <= next < self.end:
                frame = self._frames[next - self._dropped]
                next += 1
                if frame.id != skipped:
                    yield frame
            if next == self.end:
                await changed.wait()

    def _time_of(self, id: str) -> datetime | None:
        return next((frame.at for frame in self._frames if frame.id == id), None) if id in self._ids else None

    def _before(self, since: datetime | None) -> Iterable[Frame]:
        """Yields the frames before the first that is as young as that."""
        for frame in self._frames:
            if since is None or frame.at >= since:
                return
            yield frame
