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
    type: str
    """The type in the envelope; one event may have frames of several types."""
    at: datetime
    text: str

    @property
    def key(self) -> tuple[str, str]:
        """Its id and type, which no other frame has."""
        return self.id, self.type


class LeftBehind(Exception):
    """A reader is so slow that frames which it has not got are dropped."""


class History:
    """The newest frames in the order in which they came; older ones are dropped. No frame is kept twice."""

    def __init__(self, max_frames: int = MAX_FRAMES) -> None:
        self._frames: deque[Frame] = deque(maxlen=max_frames)
        self._keys: set[tuple[str, str]] = set()
        self._dropped = 0
        self._changed = asyncio.Event()

    @property
    def end(self) -> int:
        """The number of the next frame: how many have come."""
        return self._dropped + len(self._frames)

    def add(self, frames: Iterable[Frame]) -> None:
        """Adds frames, and wakes the readers."""
        for frame in frames:
            if frame.key in self._keys:
                continue
            if len(self._frames) == self._frames.maxlen:
                self._keys.discard(self._frames[0].key)
                self._dropped += 1
            self._frames.append(frame)
            self._keys.add(frame.key)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def after(self, id: str | None) -> AsyncIterator[Frame]:
        """Yields frames for ever: the new ones, and before them those after the frame with an id.

        If no frame with that id is kept, all frames that are kept come first. A reader gets that frame again, and those that
        came about its time: they have the same ids and types. Raises `LeftBehind`.
        """
        place = self.end
        if id is not None:
            at = self._time_of(id)
            place = self._dropped + (0 if at is None else self._number_before(at - _MARGIN))
        while True:
            if place < self._dropped:
                raise LeftBehind
            changed = self._changed
            while self._dropped <= place < self.end:
                frame = self._frames[place - self._dropped]
                place += 1
                yield frame
            if place == self.end:
                await changed.wait()

    def _time_of(self, id: str) -> datetime | None:
        return next((frame.at for frame in self._frames if frame.id == id), None)

    def _number_before(self, since: datetime) -> int:
        """Returns how many frames came before the first that is as young as that."""
        return next((number for number, frame in enumerate(self._frames) if frame.at >= since), len(self._frames))
