"""The bodies of requests: read within limits, parsed, and validated as a command or as a path's own shape."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request

from command_api.handling.validation import parse_json
from schemas.errors import UnsupportedFormat
from streams.http.bodies import read_limited
from streams.settings import Settings

Headers = Mapping[bytes, str]
"""By lower-case name, as `RequestContext` has them."""


JSON = ("application/json",)
"""The media types of a body, unless a path has clients that name others; ``""`` is none at all."""


async def read_document(request: Request, headers: Headers, settings: Settings, media_types: Sequence[str] = JSON) -> Any:
    """Returns the JSON document in a request's body; raises `TooLarge`, `UnsupportedFormat`, `Malformed` or `Invalid`."""
    body = await read_body(request, headers, settings.max_body_bytes, media_types)
    return parse_json(body, settings.max_body_depth)


async def read_body(request: Request, headers: Headers, max_bytes: int, media_types: Sequence[str] = JSON) -> bytes:
    """Returns the request's body, counted as it arrives; raises `TooLarge` or `UnsupportedFormat`."""
    check_format(headers, media_types)
    return await read_limited(request, max_bytes)


def check_format(headers: Headers, media_types: Sequence[str]) -> None:
    """Raises `UnsupportedFormat` unless a body is of one of the media types, and not encoded."""
    if (content_type := content_type_of(headers)) not in media_types:
        raise UnsupportedFormat(f"the body must be {media_types[0]}, not {content_type or 'of an unnamed type'}")
    if (encoding := headers.get(b"content-encoding")) not in (None, "identity"):
        raise UnsupportedFormat(f"the Content-Encoding {encoding} is not supported: send the body unencoded")


def content_type_of(headers: Headers) -> str:
    """Returns the media type of a body, without parameters; empty if the headers name none."""
    return headers.get(b"content-type", "").partition(";")[0].strip().lower()
