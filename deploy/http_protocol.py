"""uvicorn's protocol with limits on what of a request is not its body: how many bytes, and how long they may take to arrive.

Bodies are counted and timed where they are read; one that nobody reads has twice the time of a head.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _HeadTooLarge(Exception):
    pass


class LimitedProtocol(HttpToolsProtocol):
    """Cuts off whoever sends an endless head, or a slow one. Derive from it to set other limits."""

    max_head_bytes = 32 * 1024
    head_seconds = 20.0

    _in_head = False
    _head_bytes = 0
    _in_body = False
    _bytes_without_body = 0
    """Of chunks' sizes, their extensions and trailers since the last byte of the body."""
    _is_too_large = False
    _slow: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head, was_in_body = self._in_head, self._in_body
        self._bytes_without_body += len(data)  # until some of it turns out to be the body
        super().data_received(data)
        if self._in_head:
            if was_in_head:  # else an earlier request may be part of it
                self._head_bytes += len(data)
            if self._head_bytes > self.max_head_bytes:
                self._refuse(b"431 Request Header Fields Too Large", b"the head of the request is too large")
            elif self._slow is None:
                self._wait(self.head_seconds)
        elif (was_in_body or not self._in_body) and self._bytes_without_body > self.max_head_bytes:
            self._refuse(b"431 Request Header Fields Too Large", b"what is not the body of the request is too large")
        elif not self._in_body and self._bytes_without_body and self._slow is None:
            self._wait(self.head_seconds)  # blank lines begin no head, but they ended the wait for one

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers are of no use here
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body, self._bytes_without_body = False, True, 0
        self._stop_waiting()
        self._wait(2 * self.head_seconds)
        if len(self.url) + sum([len(name) + len(value) + 4 for name, value in self.headers]) > self.max_head_bytes:
            self._is_too_large = True
            raise _HeadTooLarge  # which the parser makes an error of its own of
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._stop_waiting()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._is_too_large:
            self._refuse(b"431 Request Header Fields Too Large", b"the head of the request is too large")
        else:
            super().send_400_response(msg)

    def _wait(self, seconds: float) -> None:
        self._slow = self.loop.call_later(seconds, self._cut_off)

    def _stop_waiting(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _cut_off(self) -> None:
        self._slow = None
        if not self._in_head and not self._in_body and self.cycle is not None and not self.cycle.response_complete:
            return  # who gets an answer still need not ask for anything
        self._refuse(b"408 Request Timeout", b"the request did not arrive in time")

    def _refuse(self, status: bytes, why: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()  # in the middle of an answer nothing else can be said
            return
        length = str(len(why)).encode()
        head = b"HTTP/1.1 " + status + b"\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: " + length
        self.transport.write(head + b"\r\nconnection: close\r\n\r\n" + why)
        self.transport.close()
