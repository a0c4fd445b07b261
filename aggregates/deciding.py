"""Deciding: runs a decision on loaded streams, and returns what it changes. Shared by the handler and the tests' scenario."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aggregates.decision import Decision
from aggregates.state import State
from aggregates.stream import EventOf, Stream, StreamUse
from schemas.envelope import CommandEnvelope
from schemas.errors import AlreadyExists, DoesNotExist, Misconfigured, Rejected, pointer_of
from schemas.message import Event
from schemas.values.storable import fault_in


@dataclass(frozen=True, slots=True)
class LoadedStream:
    """A stream as a decision sees it."""

    stream: Stream[Any]
    key: str
    version: int
    """0 if it does not exist."""
    state: State

    @property
    def name(self) -> str:
        """The stream's name: ``category-key``."""
        return self.stream.name(self.key)


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one stream by a decision; without events the decision only read the stream."""

    loaded: LoadedStream
    events: tuple[Event, ...]
    state: State
    """The state after the events."""


def decide(
    decision: Decision[Any, Any], command: CommandEnvelope[Any], streams: Sequence[LoadedStream | None]
) -> Sequence[Change]:
    """Returns the change of each stream of a decision; the stream that the command is about is the first.

    ``streams`` are those of ``decision.uses``, ``None`` for one that is not named. Raises `Rejected` if a domain rule
    rejects the command, or if an event holds a value that cannot be stored. A fault in the decision raises any other exception;
    one that calls ``sys.exit`` raises ``RuntimeError``, so that it ends neither the process nor the commands beside it.
    """
    try:
        return _changes(decision, command, streams)
    except SystemExit as error:
        raise RuntimeError(f"{_name(decision)} calls sys.exit") from error


def _changes(
    decision: Decision[Any, Any], command: CommandEnvelope[Any], streams: Sequence[LoadedStream | None]
) -> Sequence[Change]:
    used = list(zip(decision.uses, streams, strict=True))
    _check_expectations(used)
    states = [use.stream.initial if loaded is None else loaded.state for use, loaded in used if use.passes_state]
    recorded = _recorded(decision, decision.decide(command, *states))
    changes = []
    for use, loaded in used:
        events = recorded.get(use, ())
        if loaded is not None:
            changes.append(Change(loaded, tuple(events), use.stream.fold(loaded.state, events)))
        elif events:
            raise Misconfigured(f"{_name(decision)} records in {use.stream}, whose key it does not know")
    return changes


def _check_expectations(used: Sequence[tuple[StreamUse[Any], LoadedStream | None]]) -> None:
    names = [loaded.name for _, loaded in used if loaded is not None]
    for use, loaded in used:
        if loaded is None:
            continue
        noun, key = use.stream.noun, loaded.key
        if use.expected == "new" and loaded.version:
            raise AlreadyExists(f"the {noun} {key} exists already")
        if use.expected == "existing" and not loaded.version:
            raise DoesNotExist(f"there is no {noun} {key}")
        if len(names) > 1 and names.count(loaded.name) > 1:
            raise Rejected(f"the command names the {noun} {key} twice")


def _recorded(decision: Decision[Any, Any], found: Any) -> dict[StreamUse[Any], list[Event]]:
    recorded: dict[StreamUse[Any], list[Event]] = {use: [] for use in (decision.target, *decision.writes)}
    for one in found:
        use, event = (one.use, one.event) if isinstance(one, EventOf) else (decision.target, one)
        if use not in recorded:
            raise Misconfigured(f"{_name(decision)} records in {use.stream}, which is not among its writes")
        if not isinstance(event, Event):
            raise Misconfigured(f"{_name(decision)} yields {event!r}, which is no event")
        if event.retired:
            raise Misconfigured(f"{_name(decision)} records {event.message_name}, which is retired")
        if (fault := fault_in(event)) is not None:
            raise Rejected(f"the {event.message_name} cannot be stored: {pointer_of(fault.path)} {fault.detail}")
        recorded[use].append(event)
    return recorded


def _name(decision: Decision[Any, Any]) -> str:
    return f"the decision on {decision.command.__name__}"
