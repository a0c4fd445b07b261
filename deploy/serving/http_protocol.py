"""uvicorn's HTTP protocol with limits: on the size of a request's head, and on the time that head and body take to arrive.

Requests whose target or length two servers could read differently are rejected (RFC 9112): those with several `Host` headers or
none, and those with a transfer coding other than `chunked`. Requests to a host that is not allowed are rejected too: a page of
another site may have had its name resolved to this server's address. Every rejection is a problem document.

The size of a body is limited by its reader. A timer runs only while a request has not arrived completely. A large body, as an
upload, may take longer if it arrives fast enough, or waits for its turn on this side.

A request is rejected before anything is done for it if the process has more than it can answer (`streams.http.admission`). It
is counted from when its body has arrived: until then it costs a connection alone, and a slow sender takes no place of others.
"""

import asyncio
import re
from typing import Any, NamedTuple

from uuid_utils.compat import uuid7
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from streams.http.admission import ALWAYS_ACCEPTED, LEAVE, PROBLEM, REJECTED, Admission
from streams.http.middleware import SECURITY
from streams.http.problems import TITLES, Problem, type_of

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(:[0-9]*)?")
"""A host and port (RFC 9110, 7.2), without the comma that joins several."""


MIN_BYTES_PER_SECOND = 256 * 1024
"""A body that arrives as fast as this has no time limit: its size has one."""


class _Rejection(NamedTuple):
    status: int
    kind: str
    why: str


class _HeadRejected(Exception):
    """Ends the parsing of a head that the parser has understood."""


_MALFORMED = _Rejection(400, "malformed", "the request is not valid HTTP/1.1")


class _Answered:
    """A request whose response is complete: uvicorn ignores what still arrives of it."""

    response_started = response_complete = True
    keep_alive = True

    def __init__(self) -> None:
        self.message_event = asyncio.Event()


_ANSWERED: Any = _Answered()
_ALWAYS_ACCEPTED = {path.encode() for path in ALWAYS_ACCEPTED}


def _answer(status: int, problem: bytes, correlation_id: str, field: tuple[bytes, bytes]) -> bytes:
    """Returns an answer with a problem document and one more header."""
    fields = (
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(problem)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-correlation-id", correlation_id.encode()),
        *SECURITY,
        field,
    )
    head = b"".join(b"%s: %s\r\n" % one for one in fields)
    return f"HTTP/1.1 {status} {TITLES[status]}\r\n".encode() + head + b"\r\n" + problem


_CORRELATION_ID = "0" * 32
_SHED = _answer(503, PROBLEM, _CORRELATION_ID, (b"retry-after", b"1"))


class LimitedProtocol(HttpToolsProtocol):
    """Rejects requests with an endless head and requests that arrive too slowly. A subclass sets other limits."""

    max_head_bytes = 32 * 1024
    seconds = 20.0
    """Time limit of the head, and again of the body, or of each `MIN_BYTES_PER_SECOND` times as much of a large one."""
    admission = Admission(1000)
    allowed_hosts: frozenset[bytes] = frozenset()
    """The hosts that requests may name, in small letters; if there are none, requests may name any.

    Requests for health and metrics always may: probes name an address.
    """

    _in_head = False
    _head_bytes = 0
    _head_bytes_at_most = 0
    """Upper bound of the head's size: the chunk that holds its beginning may also hold the end of an earlier request."""
    _in_body = False
    _bytes_without_body = 0
    """Bytes of heads, chunk sizes, chunk extensions and trailers since the last byte of a body."""
    _is_counted = False
    """Whether the request takes a place when it has arrived."""
    _rejection = _MALFORMED
    """The answer if the parser rejects the request."""
    _slow: asyncio.TimerHandle | None = None
    _bytes_in_time = 0
    """Bytes of the body since the timer was started."""
    _was_paused = False
    """Whether this side stopped to read since then."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        for cycle, _ in self.pipeline:  # they will not be begun
            if (leave := cycle.scope.pop(LEAVE, None)) is not None:  # type: ignore[misc]
                leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head, was_in_body = self._in_head, self._in_body
        self._head_bytes_at_most = len(data) + (self._head_bytes_at_most if was_in_head else 0)
        self._bytes_without_body += len(data)  # set back when a part of it is a body
        super().data_received(data)
        if self._in_head:
            if was_in_head:  # else the chunk may hold an earlier request too
                self._head_bytes += len(data)
            if self._head_bytes > self.max_head_bytes:
                self._reject(431, "head-too-large", "the head of the request is too large")
        elif (was_in_body or not self._in_body) and self._bytes_without_body > self.max_head_bytes:
            self._reject(431, "head-too-large", "the chunk headers and trailers of the request are too large")
        # No timer runs between requests, except after blank lines, which do not begin a head but ended the timer.
        if self._slow is None and (self._in_head or self._in_body or self._bytes_without_body):
            self._wait()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers are ignored
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body, self._bytes_without_body = False, True, 0
        self._stop_waiting()
        if (rejection := self._why_rejected()) is not None:
            self._rejection = rejection
            raise _HeadRejected  # the parser turns it into its own error
        self._is_counted = self._path not in _ALWAYS_ACCEPTED
        if not self._is_counted or self._waits_for_another() or self.admission.has_room():
            super().on_headers_complete()
        else:
            self._shed()

    def _waits_for_another(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _shed(self) -> None:
        """Answers that there is too much to do. The connection stays open; what it still brings of the request is ignored."""
        self.admission.note_rejected()
        self.cycle = _ANSWERED
        self.transport.write(_SHED.replace(_CORRELATION_ID.encode(), uuid7().bytes.hex().encode()))
        self.on_response_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes_without_body = 0
        self._bytes_in_time += len(body)
        super().on_body(body)
        self._was_paused = self._was_paused or self.flow.read_paused

    def on_message_complete(self) -> None:
        self._in_body, self._bytes_without_body = False, 0
        self._stop_waiting()
        # A request for a WebSocket begins no cycle: it counts as one of the open sockets, which their server limits.
        if self._is_counted and self.cycle is not None and not self.cycle.response_complete:
            if self.admission.accepts():
                self.cycle.scope[LEAVE] = self.admission.leave  # type: ignore[literal-required]
            else:
                self.cycle.scope[REJECTED] = True  # type: ignore[literal-required]
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hands the connection over: from now on no time limit of a request counts."""
        self._in_head = self._in_body = False
        self._bytes_without_body = 0
        self._stop_waiting()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._reject(*self._rejection)

    def _why_rejected(self) -> _Rejection | None:
        if self._head_bytes_at_most > self.max_head_bytes and self._length_of_head() > self.max_head_bytes:
            return _Rejection(431, "head-too-large", "the head of the request is too large")
        hosts = [value for name, value in self.headers if name == b"host"]
        is_old = self.parser.get_http_version() == "1.0"
        if len(hosts) > 1 or not (hosts or is_old) or not all(map(_HOST.fullmatch, hosts)):
            return _Rejection(400, "invalid-host", "the request needs one `Host` header with a host and port")
        if self.allowed_hosts and hosts and not self._is_allowed(hosts[0]):
            return _Rejection(421, "misdirected", "this server does not serve the host that the request names")
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings in ([], [b"chunked"]) and not (codings and is_old):
            return None
        final = codings[-1].rpartition(b",")[2].strip()
        if is_old or final != b"chunked" or sum(value.count(b"chunked") for value in codings) > 1:
            return _MALFORMED
        return _Rejection(501, "unsupported-transfer-coding", "the only transfer coding that is supported is `chunked`")

    def _is_allowed(self, value: bytes) -> bool:
        """Whether a request may name the host in a valid `Host` header, at any port."""
        found = _HOST.fullmatch(value)
        assert found is not None, "invalid ones are rejected before"
        return found[1].lower().removesuffix(b".") in self.allowed_hosts or self._path in _ALWAYS_ACCEPTED

    @property
    def _path(self) -> bytes:
        return self.url.partition(b"?")[0]

    def _length_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _wait(self) -> None:
        self._bytes_in_time, self._was_paused = 0, self.flow.read_paused
        self._slow = self.loop.call_later(self.seconds, self._cut_off)

    def _stop_waiting(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _cut_off(self) -> None:
        self._slow = None
        if not self._in_head and not self._in_body and self.cycle is not None and not self.cycle.response_complete:
            return  # a client that still receives a response need not send anything
        is_fast = self._in_body and self._bytes_in_time >= MIN_BYTES_PER_SECOND * self.seconds
        if self.flow.read_paused or self._was_paused or is_fast:
            self._wait()  # reading is or was paused on our side, or a large body arrives fast enough
            return
        self._reject(408, "too-slow", f"the request did not arrive within {self.seconds:g} seconds")

    def _reject(self, status: int, kind: str, why: str) -> None:
        if self.transport.is_closing():
            return
        if self.pipeline or (self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete):
            self.transport.close()  # other responses come first or are half sent: no problem document fits in between
            return
        id = uuid7().bytes.hex()
        problem = Problem(type=type_of(kind), title=TITLES[status], status=status, detail=why, correlation_id=id)
        body = problem.model_dump_json(exclude_none=True).encode() + b"\n"
        self.transport.write(_answer(status, body, id, (b"connection", b"close")))
        self.transport.close()
