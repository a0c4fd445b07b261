"""Fixtures of the unit tests of commands."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Resets the logging that a command configures: loggers of later tests would keep the stream of this one."""
    yield
    structlog.reset_defaults()
