"""Faults: an exception as text for the person who repairs it, with file and line, without the values of variables."""

import traceback
from dataclasses import dataclass

from schemas.errors import CaudalError

_MAX_ERROR_LENGTH = 2000
_MAX_TRACEBACK_LENGTH = 8000


class ProcessDied(Exception):
    """Processes have died of an event or a command: no exception shows why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The part of an exception that is logged and kept with a dead letter."""

    error: str
    location: str
    """``file:line in function`` where the exception was raised first."""
    traceback: str
    is_of_process: bool = False
    """Whether processes have died of it."""

    @classmethod
    def of(cls, error: Exception) -> "Fault":
        """Returns the texts of an exception, cut to a length that can be stored."""
        lines = "".join(traceback.format_exception(error)).replace("\x00", "")
        return cls(describe(error), _location(error), lines[-_MAX_TRACEBACK_LENGTH:], isinstance(error, ProcessDied))


def describe(error: Exception) -> str:
    """Returns an exception in one short text."""
    text = error.detail if isinstance(error, CaudalError) else f"{type(error).__name__}: {error}"
    return text.replace("\x00", "")[:_MAX_ERROR_LENGTH]


def _location(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
