"""Admission: which requests a process accepts while it has more than it can answer.

What is accepted is answered soon, and the rest at once with 503 and ``Retry-After``: a queue that only grows would answer
nobody in time. A request is rejected if too many are in progress, or if the event loop is late by more than
`MAX_LAG_SECONDS`. Such a loop is saturated, and every further request would make all of them later::

    lag of the loop   0 ms ......... 50 ms ...................
    accepted          all            at most MIN_IN_PROGRESS at a time
"""

import asyncio

import orjson
from prometheus_client import Counter, Gauge

from schemas.errors import Overloaded
from streams.http.problems import problem_of

LEAVE = "caudal.leave"
"""Key of the scope of an accepted request, with the function to call when it is answered; set when the request has arrived."""
REJECTED = "caudal.rejected"
"""Key of the scope of a request for which there was no room when it had arrived."""
ALWAYS_ACCEPTED = frozenset({"/livez", "/readyz", "/health", "/metrics"})
PROBLEM = orjson.dumps(problem_of(Overloaded()).model_dump(exclude_none=True), option=orjson.OPT_APPEND_NEWLINE)
"""The body of the answer to a request that is rejected."""
MIN_IN_PROGRESS = 8
"""So many requests are always accepted: one that holds up the loop alone makes it late as well."""
MAX_LAG_SECONDS = 0.05
_BEAT_SECONDS = 0.02
_SMOOTHING = 0.3

SHED = Counter("caudal_http_shed", "Requests rejected because the process has more than it can answer.")
IN_PROGRESS = Gauge("caudal_http_in_progress", "Requests that were accepted and are not answered yet.")


class Admission:
    """The requests in progress in one process, and how late its event loop is."""

    def __init__(self, max_in_progress: int) -> None:
        self._max, self._in_progress = max_in_progress, 0
        self._lag, self._due = 0.0, 0.0
        self._is_beating = False

    def has_room(self) -> bool:
        """Returns whether a request that has arrived would be accepted now."""
        limit = min(MIN_IN_PROGRESS, self._max) if self._lag > MAX_LAG_SECONDS else self._max
        return self._in_progress < limit

    def accepts(self) -> bool:
        """Returns whether a request that has arrived is accepted; then `leave` must follow."""
        if not self.has_room():
            self.note_rejected()
            return False
        self._in_progress += 1
        IN_PROGRESS.set(self._in_progress)
        if not self._is_beating:
            self._is_beating = True
            self._schedule()
        return True

    def note_rejected(self) -> None:
        """Counts a request that was rejected."""
        SHED.inc()

    def leave(self) -> None:
        """Notes that an accepted request was answered."""
        self._in_progress -= 1
        IN_PROGRESS.set(self._in_progress)

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        self._due = loop.time() + _BEAT_SECONDS
        loop.call_at(self._due, self._beat)

    def _beat(self) -> None:
        late = asyncio.get_running_loop().time() - self._due
        self._lag += _SMOOTHING * (late - self._lag)
        if self._in_progress or self._lag > _BEAT_SECONDS:
            self._schedule()
        else:
            self._is_beating = False
