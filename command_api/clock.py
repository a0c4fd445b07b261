"""The clock of the write side."""

from datetime import UTC, datetime


def now() -> datetime:
    """Returns the time at which a command that arrives now is issued, in UTC."""
    return datetime.now(UTC)
