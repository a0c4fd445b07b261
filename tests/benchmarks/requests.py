"""Sends POST requests over so many connections for some seconds: `… PORT PATH CONNECTIONS SECONDS BODY`.

Each connection sends a request when it has the answer to the last one. ``{n}`` in the body becomes the connection's
number. Prints one line of JSON: requests, seconds, and the 50th and 99th percentile in milliseconds.
"""

import asyncio
import statistics
import sys
import time
from typing import cast

import orjson
import uvloop


class Client(asyncio.Protocol):
    """One connection: a request at a time."""

    def __init__(self, request: bytes, deadline: float, ended: "asyncio.Future[None]") -> None:
        self._request, self._deadline, self._ended = request, deadline, ended
        self._received = b""
        self.seconds: list[float] = []
        self.failed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        at = head.lower().index(b"content-length:") + 15
        if len(body) < int(head[at:].split(b"\r\n", 1)[0]):
            return
        now = time.perf_counter()
        self.seconds.append(now - self._sent)
        self.failed += not head.startswith(b"HTTP/1.1 20")
        self._received = b""
        if now < self._deadline:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._ended.set_result(None)

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)


async def run(port: int, path: str, connections: int, seconds: float, body: str) -> None:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    clients = []
    ends = []
    for number in range(connections):
        content = body.replace("{n}", str(number)).encode()
        fields = ("Host: 127.0.0.1", "Content-Type: application/json", f"Content-Length: {len(content)}")
        head = "\r\n".join((f"POST {path} HTTP/1.1", *fields, "", ""))
        ended: asyncio.Future[None] = loop.create_future()
        client = Client(head.encode() + content, started + seconds, ended)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        clients.append(client)
        ends.append(ended)
    await asyncio.wait_for(asyncio.gather(*ends), seconds + 30)
    took = time.perf_counter() - started
    latencies = sorted(one for client in clients for one in client.seconds)
    report = {
        "requests": len(latencies),
        "seconds": took,
        "median_ms": statistics.median(latencies) * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
        "failed": sum(client.failed for client in clients),
    }
    sys.stdout.write(orjson.dumps(report).decode() + "\n")


if __name__ == "__main__":
    _, port, path, connections, seconds, body = sys.argv
    uvloop.run(run(int(port), path, int(connections), float(seconds), body))
