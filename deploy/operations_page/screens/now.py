"""Now: whether everything is well, and how events flow from commands to views."""

import time
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from deploy.operations.operation import OPERATORS
from deploy.operations.status.health import by_name, oldest_of
from deploy.operations.status.reading import StatusReport, WholeStatus, status
from deploy.operations_page.screen import Asked, Screen, Shown, Tone

_KEPT_SECONDS = 300.0
_TONES: dict[str, Tone] = {"healthy": "good", "attention": "warning", "down": "bad"}


@dataclass(frozen=True, slots=True)
class Sample:
    """How much had happened at one moment."""

    at: float
    """In seconds of a clock that only goes forward."""
    events: int


class Pace:
    """The events of the last five minutes, as far as somebody looked."""

    def __init__(self) -> None:
        self.samples: deque[Sample] = deque()

    def note(self, events: int) -> None:
        """Keeps a sample of now, and drops those that are too old."""
        now = time.monotonic()
        self.samples.append(Sample(now, events))
        while now - self.samples[0].at > _KEPT_SECONDS:
            self.samples.popleft()

    def per_second(self) -> float | None:
        """Returns the events a second since the sample before last; ``None`` without one."""
        if len(self.samples) < 2:
            return None
        first, last = self.samples[max(0, len(self.samples) - 3)], self.samples[-1]
        return max(0, last.events - first.events) / max(last.at - first.at, 0.001)

    def rates(self) -> list[tuple[float, float]]:
        """Returns the seconds since each sample, and the events a second before it."""
        kept, now = list(self.samples), time.monotonic()
        return [
            (now - later.at, max(0, later.events - earlier.events) / max(later.at - earlier.at, 0.001))
            for earlier, later in pairwise(kept)
        ]


class Now:
    """The first screen."""

    def __init__(self) -> None:
        self._pace = Pace()

    async def show(self, asked: Asked) -> Shown:
        """Shows the status, what is wrong first."""
        found = await status(asked.installation, WholeStatus())
        flow = flow_of(found)
        self._pace.note(flow.events)
        values = {"status": found, "flow": flow, "per_second": self._pace.per_second(), "chart": polyline(self._pace.rates())}
        return Shown(found.sentence, _TONES[found.health], values)


@dataclass(frozen=True, slots=True)
class Flow:
    """The way of events, with what waits at each part."""

    events: int
    unpublished: int
    views: int
    views_behind: int
    policies: int
    policies_behind: int
    parked: int
    """Dead letters."""
    oldest: object
    """When the oldest event was recorded that a subscription has not handled, or ``None``."""


def flow_of(found: StatusReport) -> Flow:
    """Returns the flow of everything together."""
    views = {view.name for view in found.views}
    behind = {name: sum(part.lag for part in parts) for name, parts in by_name(found.subscriptions).items()}
    return Flow(
        events=sum(log.head for log in found.logs),
        unpublished=sum(log.head - log.relayed for log in found.logs),
        views=len(views),
        views_behind=sum(lag for name, lag in behind.items() if name in views),
        policies=len(behind.keys() - views),
        policies_behind=sum(lag for name, lag in behind.items() if name not in views),
        parked=sum(part.dead_letters for part in found.subscriptions),
        oldest=oldest_of(found.subscriptions),
    )


def polyline(rates: list[tuple[float, float]], width: int = 600, height: int = 60) -> str:
    """Returns the points of a line of the last five minutes, the newest at the right; empty for fewer than two."""
    if len(rates) < 2:
        return ""
    highest = max(1.0, *(rate for _, rate in rates))
    return " ".join(
        f"{width * (1 - ago / _KEPT_SECONDS):.1f},{height - 2 - (height - 4) * rate / highest:.1f}" for ago, rate in rates
    )


SCREEN = Screen("/", "now", "Now", "Is everything well?", Now().show, OPERATORS)
