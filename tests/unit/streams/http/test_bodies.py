"""Bodies of requests, read within a limit."""

from collections.abc import Sequence

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from schemas.errors import TooLarge
from streams.http.bodies import read_limited


def request_of(messages: Sequence[Message]) -> tuple[Request, list[Message]]:
    """A request whose body arrives in these messages, and those that nobody has received yet."""
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return Request({"type": "http", "method": "POST", "headers": []}, receive), left


def parts(*bodies: bytes) -> list[Message]:
    return [{"type": "http.request", "body": body, "more_body": n < len(bodies)} for n, body in enumerate(bodies, 1)]


@pytest.mark.parametrize("bodies", [(b"",), (b"12345",), (b"12", b"", b"345")])
async def test_a_body_within_the_limit_is_read_whole(bodies: tuple[bytes, ...]) -> None:
    request, _ = request_of(parts(*bodies))

    assert await read_limited(request, 5) == b"".join(bodies)


async def test_a_body_is_not_read_beyond_the_limit() -> None:
    request, left = request_of(parts(b"123", b"456", b"789"))

    with pytest.raises(TooLarge, match="at most"):
        await read_limited(request, 5)
    assert len(left) == 1


async def test_a_client_that_is_gone_ends_the_reading() -> None:
    request, _ = request_of([*parts(b"1", b"2")[:1], {"type": "http.disconnect"}])

    with pytest.raises(ClientDisconnect):
        await read_limited(request, 5)
