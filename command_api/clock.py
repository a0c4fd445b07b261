"""The clock of the write side."""

from datetime import UTC, datetime


def now() -> datetime:
    """Returns the current time in UTC, for a command that arrives now."""
    return datetime.now(UTC)
