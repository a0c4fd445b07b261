"""The commands of a load: records with the fields that every command gets, and with idempotency keys.

The key is a digest of the command's content, and a number if the file has equal records; the record's number is not part of it.
A second run therefore adds nothing.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from command_api.handling.validation import check_plain, parse_json, validate_command
from deploy.operations.load.reading import FileOptions
from deploy.operations.load.record import Record
from schemas.errors import Invalid
from schemas.message import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The way from a record to a command."""

    fixed: Mapping[str, Any]
    """Fields that every command gets."""
    into: str | None
    """The field that takes the record; ``None`` if the record is the command."""


@dataclass(frozen=True, slots=True)
class KeyedCommand:
    """A command with its idempotency key."""

    record: Record
    content: bytes
    """The line of a batch that holds it."""


def keyed_commands(
    records: Iterator[Record],
    name: str,
    shape: Shape,
    options: FileOptions,
    reject: Callable[[Record, str], None],
    command: type[Command] | None = None,
) -> Iterator[KeyedCommand]:
    """Yields the commands of records; calls ``reject`` with each record that cannot be sent, and the reason.

    ``name`` is the command's, as ``system/command``. With the class ``command`` the fields are checked as well.
    """
    seen: Counter[bytes] = Counter()
    for record in records:
        if record.content is None:
            reject(record, record.problem or "unreadable")
            continue
        content = {**shape.fixed, **(record.content if shape.into is None else {shape.into: record.content})}
        try:
            canonical = _checked(content, options.max_depth, command)
        except Invalid as error:
            reject(record, error.reasons)
            continue
        digest = hashlib.sha256(name.encode() + b"\n" + canonical).digest()
        seen[digest] += 1
        key = f"load-{digest.hex()[:40]}-{seen[digest]}"
        line = orjson.dumps({"command": content, "idempotency_key": key})
        if len(line) > options.max_bytes:
            reject(record, f"a command may have {options.max_bytes} bytes at most, this one has {len(line)}")
            continue
        yield KeyedCommand(record, line)


def _checked(content: Mapping[str, Any], max_depth: int, command: type[Command] | None) -> bytes:
    """Returns a command's canonical JSON; raises `Invalid` as the command API does."""
    try:
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise Invalid(f"cannot be stored: {error}") from error
    document = parse_json(canonical, max_depth)
    if command is not None:
        check_plain(validate_command(document, command))
    return canonical
