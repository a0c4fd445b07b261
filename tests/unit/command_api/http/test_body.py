"""Bodies of requests: limits, media types and encodings."""

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from command_api.http.body import content_type_of, read_body, read_document
from schemas.errors import Malformed, TooLarge, UnsupportedFormat
from streams.settings import Settings

JSON = {b"content-type": "application/json; charset=utf-8"}


def request(*messages: Message) -> Request:
    rest = iter(messages)

    async def receive() -> Message:
        return next(rest)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_parts_are_put_together() -> None:
    assert await read_body(request(part(b'{"a"', more=True), part(b": 1}")), JSON, 100) == b'{"a": 1}'


async def test_a_body_is_not_read_beyond_its_limit() -> None:
    endless = request(part(b"x" * 60, more=True), part(b"x" * 60, more=True))

    with pytest.raises(TooLarge, match="the body may have 100 bytes at most"):
        await read_body(endless, JSON, 100)


async def test_a_client_that_leaves_ends_the_request() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(request(part(b"{", more=True), {"type": "http.disconnect"}), JSON, 100)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "the body must be application/json, not of an unnamed type"),
        ({b"content-type": "text/plain"}, "the body must be application/json, not text/plain"),
        ({**JSON, b"content-encoding": "gzip"}, "the Content-Encoding gzip is not supported: send the body unencoded"),
    ],
)
async def test_another_format_is_rejected(headers: dict[bytes, str], why: str) -> None:
    with pytest.raises(UnsupportedFormat, match=why):
        await read_body(request(part(b"{}")), headers, 100)


async def test_a_document_is_parsed_within_the_settings_limits() -> None:
    assert await read_document(request(part(b'{"a": [1]}')), JSON, Settings()) == {"a": [1]}
    with pytest.raises(Malformed):
        await read_document(request(part(b"{")), JSON, Settings())


def test_a_media_type_has_no_parameters_and_small_letters() -> None:
    assert content_type_of({b"content-type": " Application/JSON ; charset=utf-8"}) == "application/json"
    assert content_type_of({}) == ""
