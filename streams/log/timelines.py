"""Timelines: the history of a log that went back, because it was restored from a backup or a failover lost commits.

Events that were published and are not in the log any more are lost; new events take their positions. A record of a topic
belongs to a timeline, and the log knows up to which position it shares each timeline::

    timeline 1    1  2  3  4  5  6  7         the log goes back to 4; 5, 6 and 7 are on the topic
    timeline 2                5' 6'           began after 4

The record of 6 has timeline 1, and 6 > 4: it is lost. The record of 6' has timeline 2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

FIRST = 1
"""The timeline of a log that never went back."""


class Timeline(NamedTuple):
    """A timeline of a log after the first."""

    number: int
    began_after: int
    """The last position that it shares with the timelines before it."""
    lost_up_to: int
    """The highest position of an event that was published before and is lost."""
    found_at: datetime
    accepted_at: datetime | None
    """When an operator has accepted the loss; ``None``: the log is not published until then."""


@dataclass(frozen=True, slots=True)
class Timelines:
    """The timelines of one log."""

    later: tuple[Timeline, ...] = ()
    """Those after the first, in order."""

    @property
    def newest(self) -> int:
        """The number of the timeline to which new events belong."""
        return self.later[-1].number if self.later else FIRST

    @property
    def pending(self) -> Timeline | None:
        """The newest timeline, if nobody has accepted the loss that it began with."""
        return self.later[-1] if self.later and self.later[-1].accepted_at is None else None

    @property
    def accepted(self) -> "Timelines":
        """The timelines without the pending one."""
        return self if self.pending is None else Timelines(self.later[:-1])

    def is_lost(self, number: int, position: int) -> bool:
        """Returns whether an event at a position of a timeline is not in the log any more."""
        if number != FIRST and all(number != timeline.number for timeline in self.later):
            return True  # the log went back to a time before that timeline began
        return any(position > timeline.began_after for timeline in self.later if timeline.number > number)

    def is_known_as_lost(self, number: int, position: int) -> bool:
        """Returns the same, unless the timeline has a higher number than the log knows: then the log went back again."""
        return number <= self.newest and self.is_lost(number, position)

    def of(self, position: int) -> int:
        """Returns the timeline to which the log's event at a position belongs."""
        return max((timeline.number for timeline in self.later if position > timeline.began_after), default=FIRST)

    def lost_positions(self) -> Iterable[tuple[int, int, datetime]]:
        """Yields for each accepted loss the first and the last position, and when it was accepted."""
        for timeline in self.later:
            if timeline.accepted_at is not None:
                yield timeline.began_after + 1, timeline.lost_up_to, timeline.accepted_at

    def has_lost_head(self, position: int, number: int) -> bool:
        """Returns whether a head that was signed for a position of a timeline belongs to a loss that was accepted."""
        return self.accepted.is_known_as_lost(number, position)
