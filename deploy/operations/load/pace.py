"""The pace of a load: pauses after failures, those that the API asks for, and the end of a load that makes no progress."""

import asyncio
from collections.abc import Callable

from schemas.errors import Unavailable

GIVE_UP_SECONDS = 120.0
_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 0.1, 2.0
_SAME_PAUSE_SECONDS = 1.5
"""Pauses whose ends differ by less than this are one: whole seconds are rounded by the API, and not by the clock here."""


class Pace:
    """Shared by all senders of a load: what one of them learns about the API holds for all."""

    def __init__(self, say: Callable[[str], None], give_up_seconds: float = GIVE_UP_SECONDS) -> None:
        self._say, self._give_up_seconds = say, give_up_seconds
        self._progressed_at = self._not_before = self._now()
        self._asked_seconds = 0.0
        """The longest pause that the API asked for, also before the last progress: senders may still wait for its end."""
        self._pause = _FIRST_PAUSE_SECONDS

    async def wait(self) -> None:
        """Waits until the API may be asked again."""
        while (seconds := self._not_before - self._now()) > 0:  # noqa: ASYNC110 - another sender may move the time
            await asyncio.sleep(seconds)

    def progressed(self) -> None:
        """Notes that at least one command got a final result, so that the load is not given up."""
        self._progressed_at, self._pause = self._now(), _FIRST_PAUSE_SECONDS

    def failed(self, place: str, why: str, retry_after: float) -> None:
        """Notes a failed attempt: the next one is after a pause, and not before ``retry_after`` seconds.

        Raises `Unavailable` if the whole load made no progress for two minutes and twice the longest pause asked for.
        """
        self._asked_seconds = max(self._asked_seconds, retry_after)
        patient_seconds = self._give_up_seconds + 2 * self._asked_seconds
        if (idle := self._now() - self._progressed_at) > patient_seconds:
            raise Unavailable(f"no command was accepted for {idle:.0f} s, beginning with {place}: {why}")
        is_said = retry_after <= _MAX_PAUSE_SECONDS and self._pause > _FIRST_PAUSE_SECONDS
        pause, is_running = retry_after, self._is_pausing(0)
        if not is_running:
            pause = max(self._pause, retry_after)
            self._pause = min(self._pause * 2, _MAX_PAUSE_SECONDS)
        if not (is_said or (is_running and self._is_pausing(pause - _SAME_PAUSE_SECONDS))):
            self._say(
                f"waiting for {retry_after:g} s, as the API asks: {why}"
                if retry_after > _MAX_PAUSE_SECONDS
                else f"retrying for {patient_seconds:g} s at most: {why}"
            )
        self._not_before = max(self._not_before, self._now() + pause)

    def _is_pausing(self, seconds: float) -> bool:
        """Returns whether a pause, which another sender began, is longer than this."""
        return self._not_before > self._now() + seconds

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
