"""An open-loop sender: requests at a steady rate, whether or not earlier ones are answered, as many clients send them.

`open_loop COMMAND_API RATE SECONDS`; a rate of 0 sends from 32 clients, each after its answer. Latency counts from the time
at which a request was sent; the report says how late the sender itself was.
"""

import asyncio
import statistics
import sys
import time
from collections import deque
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

CLIENTS = 32
_MAX_CONNECTIONS = 4000
_LONGEST_WAIT = 60


class Sender:
    """Sends commands and keeps how each was answered."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.free: deque[Connection] = deque()
        self.accepted: list[float] = []
        self.shed: list[float] = []
        self.failed = self.opened = self.in_progress = 0

    async def send(self) -> None:
        """Sends one command on a free connection, or on a new one; returns once it is on its way."""
        connection = self.free.popleft() if self.free else None
        if connection is None:
            if self.opened >= _MAX_CONNECTIONS:
                self.failed += 1
                return
            self.opened += 1
            try:
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self), self.host, self.port
                )
            except OSError:
                self.failed += 1
                return
        connection.send()


class Connection(asyncio.Protocol):
    """One connection, with at most one request in progress."""

    def __init__(self, sender: Sender) -> None:
        self._sender, self._received, self._sent_at = sender, b"", 0.0
        self._transport: asyncio.Transport | None = None
        self.answered: asyncio.Event | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self) -> None:
        body = orjson.dumps({"partner_id": "bench", "payload": {"id": str(uuid4())}})
        head = (
            "POST /commands/data_ingestion/receive-data HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        assert self._transport is not None, "it is connected"
        self._sent_at = time.perf_counter()
        self._sender.in_progress += 1
        self._transport.write(head.encode() + body)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._received = b""
        self._answer(head)

    def _answer(self, head: bytes) -> None:
        taken, status = time.perf_counter() - self._sent_at, head[9:12]
        sender = self._sender
        sender.in_progress -= 1
        if status in (b"200", b"201"):
            sender.accepted.append(taken)
        elif status == b"503" and b"retry-after" in head.lower():
            sender.shed.append(taken)
        else:
            sender.failed += 1
        self._sent_at = 0.0
        if self.answered is not None:
            self.answered.set()
        else:
            sender.free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._sent_at:
            self._sender.in_progress -= 1
            self._sender.failed += 1
        elif self in self._sender.free:
            self._sender.free.remove(self)
        self._sender.opened -= 1
        if self.answered is not None:
            raise ConnectionError(f"the API closed a connection: {exc}")


async def main(api: str, rate: float, seconds: float) -> None:
    url = urlsplit(api)
    sender = Sender(url.hostname or "", url.port or 0)
    began = time.perf_counter()
    late = await _at_rate(sender, rate, seconds) if rate else await _in_turns(sender, seconds)
    sending = time.perf_counter() - began
    accepted = len(sender.accepted)
    give_up = time.perf_counter() + _LONGEST_WAIT
    while sender.in_progress and time.perf_counter() < give_up:
        await asyncio.sleep(0.01)
    report = {
        "accepted_per_second": round(accepted / sending, 1),
        "shed_per_second": round(len(sender.shed) / sending, 1),
        "failed": sender.failed + sender.in_progress,
        "median_ms": _percentile(sender.accepted, 50),
        "p99_ms": _percentile(sender.accepted, 99),
        "shed_p99_ms": _percentile(sender.shed, 99),
        "sender_late_ms": round(late * 1000, 1),
    }
    sys.stdout.write(orjson.dumps(report).decode() + "\n")


async def _at_rate(sender: Sender, rate: float, seconds: float) -> float:
    """Sends at a rate; returns how late the latest request was sent."""
    began, late = time.perf_counter(), 0.0
    for number in range(int(rate * seconds)):
        due = began + number / rate
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        late = max(late, -pause)
        await sender.send()
        if number % 20 == 0:
            await asyncio.sleep(0)
    return late


async def _in_turns(sender: Sender, seconds: float) -> float:
    until = time.perf_counter() + seconds
    loop = asyncio.get_running_loop()

    async def one_client() -> None:
        _, connection = await loop.create_connection(lambda: Connection(sender), sender.host, sender.port)
        while time.perf_counter() < until:
            connection.answered = asyncio.Event()
            connection.send()
            await connection.answered.wait()

    await asyncio.gather(*(one_client() for _ in range(CLIENTS)))
    return 0.0


def _percentile(values: list[float], which: int) -> float:
    if len(values) < 2:
        return 0.0
    return round(statistics.quantiles(values, n=100)[which - 1] * 1000, 1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
