"""uvicorn's protocol with limits on how a request arrives: how large its head may be, and how long head and body take.

What a body may hold is counted where it is read. Timers run only for what has not arrived whole.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from streams.http.problems import TITLES, Problem


class _HeadTooLarge(Exception):
    pass


class LimitedProtocol(HttpToolsProtocol):
    """Cuts off whoever sends an endless head, or is slow. Derive from it to set other limits."""

    max_head_bytes = 32 * 1024
    seconds = 20.0
    """For the head, and again for the body."""

    _in_head = False
    _head_bytes = 0
    _head_bytes_at_most = 0
    """With what came together with its beginning, an earlier request for one."""
    _in_body = False
    _bytes_without_body = 0
    """Of heads, chunks' sizes, their extensions and trailers since the last byte of a body."""
    _is_too_large = False
    _slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head, was_in_body = self._in_head, self._in_body
        self._head_bytes_at_most = len(data) + (self._head_bytes_at_most if was_in_head else 0)
        self._bytes_without_body += len(data)  # until some of it turns out to be the body
        super().data_received(data)
        if self._in_head:
            if was_in_head:  # else an earlier request may be part of it
                self._head_bytes += len(data)
            if self._head_bytes > self.max_head_bytes:
                self._reject(431, "head-too-large", "the head of the request is too large")
        elif (was_in_body or not self._in_body) and self._bytes_without_body > self.max_head_bytes:
            self._reject(431, "head-too-large", "what is not the body of the request is too large")
        # Between requests nothing is waited for, unless blank lines, which begin no head, have ended the wait for one.
        if self._slow is None and (self._in_head or self._in_body or self._bytes_without_body):
            self._wait()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers are of no use here
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body, self._bytes_without_body = False, True, 0
        self._stop_waiting()
        if self._head_bytes_at_most > self.max_head_bytes and self._length_of_head() > self.max_head_bytes:
            self._is_too_large = True
            raise _HeadTooLarge  # which the parser makes an error of its own of
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body, self._bytes_without_body = False, 0
        self._stop_waiting()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._is_too_large:
            self._reject(431, "head-too-large", "the head of the request is too large")
        else:
            super().send_400_response(msg)

    def _length_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _wait(self) -> None:
        self._slow = self.loop.call_later(self.seconds, self._cut_off)

    def _stop_waiting(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _cut_off(self) -> None:
        self._slow = None
        if not self._in_head and not self._in_body and self.cycle is not None and not self.cycle.response_complete:
            return  # who gets an answer still need not ask for anything
        if self.flow.read_paused:
            self._wait()  # it is for us to read on, and not for whoever sends
            return
        self._reject(408, "too-slow", f"the request did not arrive within {self.seconds:g} seconds")

    def _reject(self, status: int, kind: str, why: str) -> None:
        if self.transport.is_closing():
            return
        if self.pipeline or (self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete):
            self.transport.close()  # before or in the middle of other answers nothing else can be said
            return
        problem = Problem(type=f"urn:caudal:problem:{kind}", title=TITLES[status], status=status, detail=why)
        body = problem.model_dump_json(exclude_none=True).encode() + b"\n"
        head = (
            f"HTTP/1.1 {status} {TITLES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        )
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()
