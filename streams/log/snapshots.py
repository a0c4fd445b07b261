"""Snapshots of aggregates: a cache beside the log, worth nothing by itself; whoever reads one decides if it can be used."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An aggregate's state after one of its events."""

    stream: str
    version: int
    state_schema: str
    """Names the shape of the state and the code that it was made by."""
    state: str
    """JSON text"""
