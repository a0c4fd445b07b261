"""Command bodies: from the bytes that arrive to a command, or a precise rejection. Nothing that passes can fail later."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from schemas.errors import Invalid, Malformed, TooLarge, UnsupportedFormat, Violation
from schemas.message import Command
from schemas.pointer import pointer_of, step
from schemas.sensitive import is_encrypted, secret_fields
from streams.http.request_context import header

M = TypeVar("M", bound=BaseModel)

# What orjson lets through though not every store can keep it: NUL, and integers that it would round to a float.
_NUL, _LONG_NUMBER = b"\\u0000", b"0" * 19
_DIGITS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else ord(" ") for byte in range(256))
_LARGEST = 2**63 - 1


async def read_body(request: Request, most: int, media_type: str = "application/json") -> bytes:
    """The request's body, counted as it arrives; raises `TooLarge` or `UnsupportedFormat`."""
    if (content_type := content_type_of(request)) != media_type:
        raise UnsupportedFormat(f"a command is sent as {media_type}, not as {content_type or 'an unnamed type'}")
    if (encoding := header(request, b"content-encoding")) not in (None, "identity"):
        raise UnsupportedFormat(f"a body is sent as it is, not with the Content-Encoding {encoding}")
    body, more = b"", True
    while more:
        message = await request.receive()
        body, more = _part(message, body, most), message.get("more_body", False)
    return body


def _part(message: Message, body: bytes, most: int) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    body += message.get("body", b"")
    if len(body) > most:
        raise TooLarge(f"the body may have {most} bytes at most")
    return body


def content_type_of(request: Request) -> str:
    """The media type of a request's body, without parameters; empty where it is not named."""
    return (header(request, b"content-type") or "").partition(";")[0].strip().lower()


def parse_command(body: bytes, command: type[Command], max_depth: int) -> Command:
    """The command in a body; raises `Invalid` that names each offending value by its JSON pointer."""
    document = parse_json(body, max_depth)
    return validate_command(document, command)


def parse_body(body: bytes, shape: type[M], max_depth: int) -> M:
    """What a body says in a shape of its path's own; raises `Invalid` that names each offending value by its JSON pointer."""
    document = parse_json(body, max_depth)
    with validating():
        return shape.model_validate(document)


@contextmanager
def validating() -> Iterator[None]:
    """Raises `Invalid` for values that the published language does not take."""
    try:
        yield
    except ValidationError as error:
        raise Invalid("the body is not valid", violations_of(error)) from error


def validate_command(document: Any, command: type[Command]) -> Command:
    """A command from a parsed document; raises `Invalid` that names each offending value by its JSON pointer."""
    try:
        return command.model_validate(document)
    except ValidationError as error:
        raise Invalid(f"the body is not a valid {command.message_name} command", violations_of(error)) from error


def check_plain(command: Command) -> Command:
    """Returns a command that a client sent; raises `Invalid` if a text in it is encrypted: only the engine sends those."""
    for name, text in _secrets(command):
        if is_encrypted(text):
            raise Invalid("the body holds a encrypted text", [Violation(step("", name), "begins like a encrypted text")])
    return command


def check_encrypted(command: Command) -> Command:
    """Returns the command that came by topic; raises `Invalid` if a text in it should be encrypted and is not."""
    for name, text in _secrets(command):
        if not is_encrypted(text):
            raise Invalid("what is sensitive comes encrypted by topic", [Violation(step("", name), "is not encrypted")])
    return command


def _secrets(command: Command) -> Iterator[tuple[str, str]]:
    for name in secret_fields(type(command)):
        text: str | None = getattr(command, name)
        if text is not None:
            yield name, text


_OUR_WORDS = {"model_type": "Input should be an object", "dict_type": "Input should be an object"}
"""In the place of words that speak of our classes."""


def violations_of(error: ValidationError) -> list[Violation]:
    """Each thing that pydantic found wrong, with its JSON pointer."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [Violation(pointer_of(one["loc"]), _OUR_WORDS.get(one["type"], one["msg"])) for one in found]


def parse_json(body: bytes, max_depth: int) -> Any:
    """A JSON document whose every string and number each store on the way can keep; raises `Invalid`."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _explain(body)
        raise Malformed("the body is not JSON", [Violation("", str(error))]) from error
    # Few bodies can hold anything that needs looking for: most are let through after two cheap scans.
    if body.count(b"{") + body.count(b"[") > max_depth:
        _check_depth(document, max_depth)
    if _NUL in body or _LONG_NUMBER in body.translate(_DIGITS):
        _check_values(json.loads(body), "")
    return document


def _explain(body: bytes) -> None:
    """Raises with a pointer where all that is wrong is one value: a number out of range, a lone surrogate."""
    try:
        _check_values(json.loads(body, parse_constant=_no_constant), "")
    except (ValueError, RecursionError):
        return


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_values(value: Any, pointer: str) -> None:
    if isinstance(value, str):
        _check_text(value, pointer)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _bad_value(pointer, "is a number out of range")
    elif isinstance(value, int):
        if not -_LARGEST - 1 <= value <= _LARGEST:
            raise _bad_value(pointer, "is a number out of range: integers have 64 bits")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key, step(pointer, key.encode("utf-8", "replace").decode()))
            _check_values(inner, step(pointer, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            _check_values(inner, step(pointer, n))


def _check_text(text: str, pointer: str) -> None:
    if "\x00" in text:
        raise _bad_value(pointer, "contains the character NUL")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise _bad_value(pointer, "contains a lone surrogate")


def _check_depth(document: Any, most: int) -> None:
    # Level by level, not by recursion: depth is what is under suspicion.
    level: list[tuple[str, Any]] = [("", document)]
    for depth in range(1, most + 2):
        nested = [(pointer, value) for pointer, value in level if isinstance(value, dict | list)]
        if not nested:
            return
        if depth > most:
            raise _bad_value(nested[0][0], f"is nested deeper than {most} levels")
        level = [
            (step(pointer, key), inner)
            for pointer, value in nested
            for key, inner in (value.items() if isinstance(value, dict) else enumerate(value))
        ]


def _bad_value(pointer: str, detail: str) -> Invalid:
    return Invalid("the body holds a value that cannot be kept", [Violation(pointer, detail)])
