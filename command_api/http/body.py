"""The bodies of requests: read within limits, parsed, and validated as a command or as a path's own shape."""

from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from command_api.handling.validation import parse_json, validate_command, validating
from schemas.errors import TooLarge, UnsupportedFormat
from schemas.message import Command
from streams.http.request_context import header

M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, most: int, media_type: str = "application/json") -> bytes:
    """Returns the request's body, counted as it arrives; raises `TooLarge` or `UnsupportedFormat`."""
    if (content_type := content_type_of(request)) != media_type:
        raise UnsupportedFormat(f"a command is sent as {media_type}, not as {content_type or 'an unnamed type'}")
    if (encoding := header(request, b"content-encoding")) not in (None, "identity"):
        raise UnsupportedFormat(f"the Content-Encoding {encoding} is not supported: send the body unencoded")
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
    """Returns the media type of a request's body, without parameters; empty if it has none."""
    return (header(request, b"content-type") or "").partition(";")[0].strip().lower()


def parse_command(body: bytes, command: type[Command], max_depth: int) -> Command:
    """Returns the command in a body; raises `Invalid`, which names each offending value by its JSON pointer."""
    document = parse_json(body, max_depth)
    return validate_command(document, command)


def parse_body(body: bytes, shape: type[M], max_depth: int) -> M:
    """Returns a body in its path's own shape; raises `Invalid`, which names each offending value by its JSON pointer."""
    document = parse_json(body, max_depth)
    with validating():
        return shape.model_validate(document)
