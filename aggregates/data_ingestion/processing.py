"""Processing: normalise, profile and compare a delivery, one event a step.

The consistency boundary is a partner's *content*: all deliveries of equal content share one stream, so that two of
them can never both believe that they are the first, however many processes work at once.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import accumulate
from uuid import UUID

from pydantic import BaseModel, JsonValue

from aggregates.aggregate import Aggregate
from aggregates.decision import Decision, Ref
from aggregates.policy import Policy
from aggregates.snapshot import SnapshotPolicy
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
from schemas.errors import AlreadyExists
from schemas.message import Command, Event
from schemas.pointer import step

_ROOM_FOR_POINTERS = 32_768  # characters; a payload of many or long names must not make an event of gigabytes
_KEY_DIGITS = 32  # half of the hash tells contents apart


class ContentState(BaseModel):
    """What a snapshot of a content keeps."""

    first: UUID | None
    processed: set[UUID]


class Content(Aggregate):
    """Everything that a partner delivered with one and the same content."""

    category = "content"
    snapshots = SnapshotPolicy(ContentState, every=200)  # a partner may deliver the same for ever

    def __init__(self) -> None:
        self.first: UUID | None = None
        self.processed: set[UUID] = set()

    def evolve(self, event: Event) -> None:
        if isinstance(event, DataProcessed):
            self.first = self.first or event.data_id
            self.processed.add(event.data_id)


def process_data(issued: CommandEnvelope[ProcessData], content: Content) -> None:
    """Takes a delivery through every step."""
    command = issued.data
    if command.data_id in content.processed:
        raise AlreadyExists(f"the delivery {command.data_id} was processed before")
    payload, changed = normalise(command.payload)
    found = profile(payload)
    content_hash = hash_of(payload)
    content.record(DataNormalised(data_id=command.data_id, payload=payload, changed=_that_fit(changed)))
    content.record(DataProfiled(data_id=command.data_id, profile=found))
    duplicate_of = content.first
    if duplicate_of is not None:
        content.record(DuplicateFound(data_id=command.data_id, duplicate_of=duplicate_of, content_hash=content_hash))
    results = ProcessingResults(content_hash=content_hash, duplicate_of=duplicate_of, normalised=len(changed), profile=found)
    content.record(DataProcessed(data_id=command.data_id, partner_id=command.partner_id, results=results))


def content_of(issued: CommandEnvelope[ProcessData]) -> tuple[Ref, ...]:
    """The content that a delivery belongs to: its partner's, with the hash of its normal form."""
    payload, _ = normalise(issued.data.payload)
    return (Ref(Content, f"{issued.data.partner_id}-{hash_of(payload)[:_KEY_DIGITS]}"),)


def normalise(payload: Payload) -> tuple[Payload, list[str]]:
    """The normal form of a payload, and the JSON pointers of what was changed for it."""
    changed: list[str] = []
    return {key: _normal(value, step("", key), changed) for key, value in payload.items()}, changed


def hash_of(payload: Payload) -> str:
    """SHA-256 of a payload's canonical JSON, in hexadecimal; the order of members makes no difference."""
    canonical = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def profile(payload: Payload) -> Profile:
    """Takes stock of a payload."""
    types: dict[str, JsonType] = {}
    values = nulls = deepest = room = 0
    for pointer, kind, depth in _leaves(payload, "", 0):
        values, nulls, deepest = values + 1, nulls + (kind == "null"), max(deepest, depth)
        room += len(pointer)
        if room <= _ROOM_FOR_POINTERS:
            types[pointer] = kind
    return Profile(types=types, values=values, nulls=nulls, depth=deepest)


def ask_for_processing(ingested: RecordedEvent[DataIngested]) -> Iterable[Command]:
    """Whatever is ingested gets processed, valid or not: what is wrong with it is worth knowing."""
    data = ingested.data
    yield ProcessData(data_id=data.data_id, partner_id=data.partner_id, payload=data.payload)


def _normal(value: JsonValue, pointer: str, changed: list[str]) -> JsonValue:
    if isinstance(value, dict):
        return {key: _normal(inner, step(pointer, key), changed) for key, inner in value.items()}
    if isinstance(value, list):
        return [_normal(inner, step(pointer, n), changed) for n, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    normal = unicodedata.normalize("NFC", value).strip() or None
    if normal != value:
        changed.append(pointer)
    return normal


def _that_fit(pointers: Iterable[str]) -> list[str]:
    room = accumulate(map(len, pointers := list(pointers)))
    return [pointer for pointer, used in zip(pointers, room, strict=True) if used <= _ROOM_FOR_POINTERS]


def _leaves(value: JsonValue, pointer: str, depth: int) -> Iterator[tuple[str, JsonType, int]]:
    inner: Iterable[tuple[str | int, JsonValue]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    empty = True
    for key, member in inner:
        empty = False
        yield from _leaves(member, step(pointer, key), depth + 1)
    if empty and pointer:
        yield pointer, _json_type(value), depth


def _json_type(value: JsonValue) -> JsonType:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


AGGREGATES = (Content,)
DECISIONS = (Decision(ProcessData, content_of, process_data, creates=True),)
POLICIES = (Policy("process-what-is-ingested", {DataIngested: ask_for_processing}),)
