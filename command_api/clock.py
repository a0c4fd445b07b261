"""The clock of the write side: the time of commands, which decisions use and timers obey.

It is the earlier of this process's clock and PostgreSQL's, so that one clock that is ahead records nothing before its time: it
costs a delay until the other one has caught up.
"""

import time
from datetime import UTC, datetime, timedelta

import structlog

from streams.database.pools import Databases
from streams.telemetry.retrying import every

_log = structlog.get_logger()
_COMPARE_SECONDS = 10
_TOLERANCE = timedelta(seconds=2)


class Clock:
    """The clock of one process."""

    def __init__(self) -> None:
        self._compared: tuple[datetime, float] | None = None
        """PostgreSQL's time at the last comparison, and the monotonic time of then."""

    def now(self) -> datetime:
        """Returns the time in UTC: the earlier of the two clocks, once they have been compared."""
        own = datetime.now(UTC)
        if self._compared is None:
            return own
        at, then = self._compared
        return min(own, at + timedelta(seconds=time.monotonic() - then))

    async def compare(self, databases: Databases, dsn: str) -> None:
        """Compares with the clock of a database, and warns if the two differ by more than two seconds.

        Raises `Unavailable` while the database is out of reach; what was known of its clock is kept.
        """
        async with databases.connection(dsn) as connection:
            at: datetime = await connection.fetchval("select clock_timestamp()")
        self._compared = (at, time.monotonic())
        difference = datetime.now(UTC) - at
        if abs(difference) > _TOLERANCE:
            _log.warning("clocks differ: the earlier one counts", own_ahead_by_seconds=round(difference.total_seconds(), 1))

    async def keep_compared(self, databases: Databases, dsn: str) -> None:
        """Compares now and every ten seconds, until cancelled, through outages and every other error."""
        await every(_COMPARE_SECONDS, lambda: self.compare(databases, dsn), "comparison of clocks", at_once=True)


CLOCK = Clock()
"""The clock of this process."""


def now() -> datetime:
    """Returns the current time in UTC, for a command that arrives now."""
    return CLOCK.now()
