"""The context of a request: read once, from any headers."""

from typing import Any

import pytest
from starlette.requests import Request

from schemas.access import Caller
from streams.http.request_context import RequestContext, add_headers, caller_of, context_of, correlation_id, header


def request(*headers: tuple[bytes, bytes], client: tuple[str, int] | None = ("10.0.0.9", 1)) -> Request:
    scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": list(headers), "client": client}
    RequestContext.open(scope)
    return Request(scope)


def test_a_request_keeps_its_own_correlation_id() -> None:
    assert correlation_id(request((b"x-correlation-id", b"mine"))) == "mine"


@pytest.mark.parametrize("given", [b"", b"two words", b"x" * 201, b"\xff"])
def test_a_correlation_id_that_is_not_a_short_word_is_replaced(given: bytes) -> None:
    assert correlation_id(request((b"x-correlation-id", given))).encode("latin-1") != given


def test_the_first_of_a_repeated_header_counts() -> None:
    asked = request((b"accept", b"first"), (b"accept", b"second"))

    assert (header(asked, b"accept"), header(asked, b"missing")) == ("first", None)


def test_a_request_is_counted_by_its_caller_or_else_by_its_address() -> None:
    asked = request()
    unknown = context_of(request(client=None))
    assert (caller_of(asked), context_of(asked).counted_as, unknown.counted_as) == (None, "10.0.0.9", "unknown")

    context_of(asked).caller = Caller("maria", frozenset(), frozenset())

    assert context_of(asked).counted_as == "maria"


def test_headers_are_collected_for_the_answer() -> None:
    asked = request()

    add_headers(asked, [(b"a", b"1")])
    add_headers(asked, [(b"b", b"2")])

    assert context_of(asked).answer_headers == [(b"a", b"1"), (b"b", b"2")]
