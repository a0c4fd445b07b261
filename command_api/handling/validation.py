"""Validation: JSON becomes a command, or an error that names each offending value. A valid command can be stored."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from schemas.errors import Invalid, Malformed, Violation, pointer_of, step
from schemas.message import Command
from schemas.sensitive import is_encrypted, secret_fields
from schemas.values.literals import LARGEST, SMALLEST
from schemas.values.storable import fault_in

M = TypeVar("M", bound=BaseModel)

ENCRYPTED, NAME_TWICE, TOO_DEEP = "has the prefix of an encrypted text", "has the name", "is nested deeper than"
"""The words with which the details of these violations begin: no JSON Schema states the rules."""
MAX_VIOLATIONS = 100
"""So many violations of a body are reported: one may have hundreds of thousands, each with a pointer."""

# Values that orjson reads and not every store can keep: NUL, and integers that it would round to a float.
_NUL, _LONG_NUMBER = b"\\u0000", b"0" * 19
_DIGITS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else ord(" ") for byte in range(256))


@contextmanager
def validating() -> Iterator[None]:
    """Raises pydantic's errors in a block as `Invalid`."""
    try:
        yield
    except ValidationError as error:
        raise Invalid("the body is not valid", violations_of(error)) from error


def validate_command(document: Any, command: type[Command]) -> Command:
    """Returns a command from a parsed document; raises `Invalid`, which names each offending value by its JSON pointer."""
    try:
        return command.model_validate(document)
    except ValidationError as error:
        raise Invalid(f"the body is not a valid {command.message_name} command", violations_of(error)) from error


def validate_body(document: Any, shape: type[M]) -> M:
    """Returns a parsed document in a shape of its path's own; raises `Invalid` like `validate_command`."""
    with validating():
        return shape.model_validate(document)


def check_plain(command: Command) -> Command:
    """Returns a command that a client sent; raises `Invalid` if a text in it is encrypted: only the engine sends those."""
    for name, text in _secrets(command):
        if is_encrypted(text):
            raise Invalid("the body holds an encrypted text", [Violation(step("", name), ENCRYPTED)])
    return command


def check_encrypted(command: Command) -> Command:
    """Returns the command that came by topic; raises `Invalid` if a text in it should be encrypted and is not."""
    for name, text in _secrets(command):
        if not is_encrypted(text):
            raise Invalid(
                "sensitive fields of a command on a topic must be encrypted", [Violation(step("", name), "is not encrypted")]
            )
    return command


def _secrets(command: Command) -> Iterator[tuple[str, str]]:
    for name in secret_fields(type(command)):
        text: str | None = getattr(command, name)
        if text is not None:
            yield name, text


_OUR_WORDS = {"model_type": "Input should be an object", "dict_type": "Input should be an object"}
"""These replace messages that name Python classes."""
_CONSEQUENCE = "default_factory_not_called"
"""Type of pydantic's error about a default that depends on a field with an error of its own."""


def violations_of(error: ValidationError) -> list[Violation]:
    """Returns what pydantic found wrong, each with its JSON pointer, and `MAX_VIOLATIONS` at most."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    causes = islice((one for one in found if one["type"] != _CONSEQUENCE), MAX_VIOLATIONS)
    return [Violation(pointer_of(one["loc"]), _OUR_WORDS.get(one["type"], one["msg"])) for one in causes]


def parse_json(body: bytes, max_depth: int) -> Any:
    """Returns a JSON document whose strings and numbers every store can keep; raises `Invalid` or `Malformed`.

    An object that has a name twice is invalid: readers of JSON disagree about which of the two values counts (RFC 8259, 4).
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _explain(body)
        raise Malformed("the body is not JSON", [Violation("", str(error))]) from error
    # Most bodies pass two cheap scans; only the others are searched value by value. Names that come twice are looked for in
    # each body, which takes some 20 µs a kilobyte.
    if body.count(b"{") + body.count(b"[") > max_depth:
        _check_depth(document, max_depth)
    _check_names(body)
    if _NUL in body or _LONG_NUMBER in body.translate(_DIGITS):
        _check_values(json.loads(body))
    return document


def _explain(body: bytes) -> None:
    """Raises `Invalid` with a pointer if only one value is wrong: a number out of range, a lone surrogate."""
    try:
        _check_values(json.loads(body, parse_constant=_no_constant, parse_int=_integer))
    except (ValueError, RecursionError):
        return


def _integer(text: str) -> int:
    """Returns an integer; one that is too long for 64 bits becomes another that is out of range.

    Its conversion would take quadratic time, and Python rejects more than 4,300 digits.
    """
    return int(text) if len(text) <= len(str(SMALLEST)) else LARGEST + 1


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


class _Repeated(Exception):
    """An object has a name twice."""


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Repeated
    return members


_UNIQUE = json.JSONDecoder(object_pairs_hook=_members)


def _check_names(body: bytes) -> None:
    """Raises `Invalid` for an object that has a name twice, of which orjson silently keeps the last value."""
    try:
        _UNIQUE.decode(body.decode())
    except _Repeated:
        document = json.loads(body, object_pairs_hook=_Repeating.of)
        path = _path_to(document, lambda value, _: isinstance(value, _Repeating) and value.name is not None)
        assert path is not None, "an object has a name twice"
        violation = Violation(pointer_of(path), f"{NAME_TWICE} {_value_at(document, path).name!r} twice in one object")
        raise Invalid("an object in the body has a name twice", [violation]) from None


class _Repeating(dict[str, Any]):
    """An object, with the first name that it has twice."""

    name: str | None = None

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, Any]]) -> "_Repeating":
        members = cls()
        for name, value in pairs:
            if name in members and members.name is None:
                members.name = name
            members[name] = value
        return members


def _check_values(document: Any) -> None:
    if (fault := fault_in(document)) is not None:
        raise _bad_value(pointer_of(fault.path), fault.detail)


def _check_depth(document: Any, max_depth: int) -> None:
    path = _path_to(document, lambda _, depth: depth > max_depth)
    if path is not None:
        raise _bad_value(pointer_of(path), f"{TOO_DEEP} {max_depth} levels")


def _path_to(value: Any, is_wanted: Callable[[Any, int], bool], depth: int = 1) -> tuple[str | int, ...] | None:
    """Returns the member names and indexes that lead to the first object or array that is wanted, or ``None``.

    ``is_wanted`` gets an object or array, and its depth. No path is made of the others: a name may be as long as the body.
    """
    if not isinstance(value, dict | list):
        return None
    if is_wanted(value, depth):
        return ()
    members: Iterable[tuple[str | int, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in members:
        if isinstance(inner, dict | list) and (path := _path_to(inner, is_wanted, depth + 1)) is not None:
            return (key, *path)
    return None


def _value_at(document: Any, path: Iterable[str | int]) -> Any:
    for key in path:
        document = document[key]
    return document


def _bad_value(pointer: str, detail: str) -> Invalid:
    return Invalid("the body holds a value that cannot be stored", [Violation(pointer, detail)])
