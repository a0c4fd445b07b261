"""Simulated failures, by which the compensation of sagas can be seen."""

from uuid import UUID

from streams.settings import Settings

_ALL = 2**32


def fails(id: UUID, settings: Settings) -> bool:
    """Returns whether the step of a command fails: the same at every repeat, and for a share of the ids (`demo_failures`)."""
    return (id.int % _ALL) / _ALL < settings.demo_failures
