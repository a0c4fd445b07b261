"""Processing: normalise, profile and compare a delivery, one event a step.

The consistency boundary is a partner's *content*: all deliveries of equal content share one stream. So two of them
can never both count as the first, however many processes work at the same time.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from pydantic import JsonValue

from aggregates.decision import Decision, Events
from aggregates.policy import Policy
from aggregates.state import State
from aggregates.stream import Stream
from schemas.data_ingestion.ingestion import DataIngested, Payload
from schemas.data_ingestion.processing import (
    DataNormalised,
    DataProcessed,
    DataProfiled,
    DuplicateFound,
    JsonType,
    ProcessData,
    ProcessingResults,
    Profile,
)
from schemas.envelope import CommandEnvelope, RecordedEvent
from schemas.errors import AlreadyExists, pointer_of
from schemas.message import Command, Event
from schemas.values.names import nfc

_ROOM_FOR_POINTERS = 32_768  # characters; a payload of many or long names must not make an event of gigabytes
_KEY_DIGITS = 32  # half of the hash is enough to distinguish contents
_JSON_TYPES: Mapping[type, JsonType] = {
    type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip
Path = tuple["Path", str | int] | None
"""The path to the value that holds another one, and the other one's name or index; ``None`` leads to the whole payload.

A pointer is made only of a path that is listed: one name may be as long as the payload, and occur in every pointer.
"""


class Content(State, snapshot_every=200):  # each repeated delivery adds an event
    """The deliveries of one partner that have the same content."""

    first: UUID | None = None
    processed: frozenset[UUID] = frozenset()


def evolve(content: Content, event: Event) -> Content:
    if not isinstance(event, DataProcessed):
        return content
    return content.replace(first=content.first or event.data_id, processed=content.processed | {event.data_id})


CONTENT = Stream("content", Content, evolve)


def process_data(command: CommandEnvelope[ProcessData], content: Content) -> Events:
    """Processes a delivery: one event for each step."""
    data_id = command.data.data_id
    if data_id in content.processed:
        raise AlreadyExists(f"the delivery {data_id} was processed before")
    payload, changed = normalise(command.data.payload)
    found = profile(payload)
    content_hash, duplicate_of = hash_of(payload), content.first
    yield DataNormalised(data_id=data_id, payload=payload, changed=_that_fit(changed))
    yield DataProfiled(data_id=data_id, profile=found)
    if duplicate_of is not None:
        yield DuplicateFound(data_id=data_id, duplicate_of=duplicate_of, content_hash=content_hash)
    results = ProcessingResults(content_hash=content_hash, duplicate_of=duplicate_of, normalised=len(changed), profile=found)
    yield DataProcessed(data_id=data_id, partner_id=command.data.partner_id, results=results)


def content_key(command: CommandEnvelope[ProcessData]) -> str:
    """Returns the key of a delivery's content: its partner, and the hash of its normal form."""
    payload, _ = normalise(command.data.payload)
    return f"{command.data.partner_id}-{hash_of(payload)[:_KEY_DIGITS]}"


def normalise(payload: Payload) -> tuple[Payload, list[Path]]:
    """Returns the normal form of a payload, and the paths to the values that differ."""
    changed: list[Path] = []
    return {key: _normal(value, (None, key), changed) for key, value in payload.items()}, changed


def hash_of(payload: Payload) -> str:
    """Returns the SHA-256 of a payload's canonical JSON, in hexadecimal; the order of members makes no difference."""
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def profile(payload: Payload) -> Profile:
    """Returns the types, the number and the nesting of a payload's values."""
    types: dict[str, JsonType] = {}
    values = nulls = deepest = room = 0
    for path, kind, depth in _leaves(payload, None, 0):
        values, nulls, deepest = values + 1, nulls + (kind == "null"), max(deepest, depth)
        if room <= _ROOM_FOR_POINTERS and (room := room + len(pointer := _pointer_of(path))) <= _ROOM_FOR_POINTERS:
            types[pointer] = kind
    return Profile(types=types, values=values, nulls=nulls, depth=deepest)


def request_processing(ingested: RecordedEvent[DataIngested]) -> Iterable[Command]:
    """Processes every delivery, valid or not, so that the faults of invalid ones are known."""
    data = ingested.data
    yield ProcessData(data_id=data.data_id, partner_id=data.partner_id, payload=data.payload)


def _normal(value: JsonValue, path: Path, changed: list[Path]) -> JsonValue:
    if isinstance(value, dict):
        return {key: _normal(inner, (path, key), changed) for key, inner in value.items()}
    if isinstance(value, list):
        return [_normal(inner, (path, n), changed) for n, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    normal = nfc(value).strip() or None
    if normal != value:
        changed.append(path)
    return normal


def _that_fit(paths: Iterable[Path]) -> list[str]:
    pointers: list[str] = []
    room = _ROOM_FOR_POINTERS
    for path in paths:
        pointer = _pointer_of(path)
        room -= len(pointer)
        if room < 0:
            break
        pointers.append(pointer)
    return pointers


def _pointer_of(path: Path) -> str:
    keys: list[str | int] = []
    while path is not None:
        path, key = path
        keys.append(key)
    return pointer_of(reversed(keys))


def _leaves(value: JsonValue, path: Path, depth: int) -> Iterator[tuple[Path, JsonType, int]]:
    """Yields each value that holds no others, an empty object or array too: its path, its type and its depth."""
    if isinstance(value, dict | list) and value:
        members: Iterable[tuple[str | int, JsonValue]] = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in members:
            yield from _leaves(member, (path, key), depth + 1)
    elif path is not None:
        yield path, _JSON_TYPES[type(value)], depth


DECISIONS = (Decision(ProcessData, CONTENT.create_or_change(content_key, usually_new=True), process_data),)
POLICIES = (Policy("process-what-is-ingested", {DataIngested: request_processing}),)
