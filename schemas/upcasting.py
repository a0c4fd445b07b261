"""Upcasting: the log keeps each event in its recorded schema version; pure functions convert it when it is read."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.errors import Misconfigured
from schemas.message import Event


@dataclass(frozen=True, slots=True)
class Upcaster:
    """One step: converts an event's data from schema version ``from_version`` to the next one.

    ``upcast`` gets and returns the data as JSON values. It is pure, and must accept every recorded event.
    """

    event: str
    """The event's recorded name."""
    from_version: int
    upcast: Callable[[dict[str, Any]], dict[str, Any]]


def chains(events: Iterable[type[Event]], upcasters: Iterable[Upcaster]) -> Mapping[str, tuple[Upcaster, ...]]:
    """Returns the upcasters of each event in order, from version 1 to the current one.

    Raises `Misconfigured` if a step is missing, given twice, or beyond the current version.
    """
    steps = list(upcasters)
    found = {}
    for event in events:
        chain = sorted((one for one in steps if one.event == event.message_name), key=lambda one: one.from_version)
        wanted = list(range(1, event.schema_version))
        if [one.from_version for one in chain] != wanted:
            raise Misconfigured(
                f"{event.message_name} has schema version {event.schema_version} and needs one upcaster from each of the "
                f"versions {_numbers(wanted)}; it has upcasters from {_numbers(one.from_version for one in chain)}"
            )
        found[event.message_name] = tuple(chain)
    if unknown := {one.event for one in steps} - set(found):
        raise Misconfigured(f"upcasters are declared for events that no context declares: {', '.join(sorted(unknown))}")
    return found


def _numbers(versions: Iterable[int]) -> str:
    return ", ".join(map(str, versions)) or "none"


def upcast(event: type[Event], chain: tuple[Upcaster, ...], schema_version: int, data: str | bytes) -> str:
    """Returns an event's JSON in the current schema version; raises ``ValueError`` for a version that is unknown."""
    if not 1 <= schema_version < event.schema_version:
        raise ValueError(f"schema version {schema_version} is not known here")
    document = json.loads(data)
    for step in chain[schema_version - 1 :]:
        document = step.upcast(document)
    return json.dumps(document)
