"""Snapshots of aggregates: a cache beside the log. The reader decides whether a snapshot can be used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An aggregate's state after one of its events."""

    stream: str
    version: int
    state_schema: str
    """Names the shape of the state and the code that made it."""
    state: str
    """JSON text"""
