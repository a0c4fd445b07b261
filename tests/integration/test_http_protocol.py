"""The limits on a request's head and on slow senders, over real connections."""

import asyncio
import socket
import time

import orjson
import pytest
import uvloop

from deploy.serving.http_protocol import MIN_BYTES_PER_SECOND
from streams.settings import Settings
from tests.integration.raw_http import SETTINGS, answered, connected, head


async def test_requests_follow_each_other_on_a_connection() -> None:
    async with connected() as (reader, writer):
        for length in (0, 5, 90_000):
            writer.write(head(length) + b"x" * length)
            assert await answered(reader) == "HTTP/1.1 200 OK"
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(len(str(length))) == str(length).encode()
        writer.write((head(2) + b"xx") * 2)
        assert await answered(reader) == "HTTP/1.1 200 OK"


async def test_a_large_body_that_comes_at_once_and_a_pause_between_requests_do_no_harm() -> None:
    async with connected() as (reader, writer):
        for length in (40_000, 3):
            writer.write(head(length) + b"x" * length)
            assert await answered(reader) == "HTTP/1.1 200 OK"
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(len(str(length))) == str(length).encode()
            await asyncio.sleep(2 * SETTINGS.max_request_arrival_seconds)
        assert not reader.at_eof()


async def test_a_head_that_is_too_large_is_rejected_at_once_and_piece_by_piece() -> None:
    async with connected() as (reader, writer):
        writer.write(head(0, "X-Long: " + "a" * 3000))
        assert await answered(reader) == "HTTP/1.1 431 Request header fields too large"
        assert await asyncio.wait_for(reader.read(), 5)
    async with connected() as (reader, writer):
        writer.write(b"POST /echo HTTP/1.1\r\nX-Long: ")
        await asyncio.sleep(0.05)  # else the first piece comes together with the next one
        for _ in range(21):
            writer.write(b"a" * 100)
            await asyncio.sleep(0.01)
        assert await answered(reader) == "HTTP/1.1 431 Request header fields too large"


async def test_a_head_that_begins_together_with_another_request_is_counted_whole() -> None:
    async with connected() as (reader, writer):
        long = head(0, "X-Long: " + "a" * 2100)
        writer.write(head(0) + long[:1800])
        await asyncio.sleep(0.05)
        writer.write(long[1800:])
        assert await answered(reader) == "HTTP/1.1 200 OK"
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        assert await answered(reader) == "HTTP/1.1 431 Request header fields too large"


async def test_a_slow_head_is_cut_off_and_a_connection_that_says_nothing() -> None:
    for beginning in (b"", b"POST /echo HTTP/1.1\r\n"):
        async with connected() as (reader, writer):
            writer.write(beginning)
            assert await answered(reader) == "HTTP/1.1 408 Too slow"
            await asyncio.wait_for(reader.read(), 5)


async def test_blank_lines_keep_no_connection_open() -> None:
    async with connected() as (reader, writer):
        writer.write(head(0))
        assert await answered(reader) == "HTTP/1.1 200 OK"
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        writer.write(b"\r\n")
        assert await answered(reader) == "HTTP/1.1 408 Too slow"
    async with connected() as (reader, writer):
        for _ in range(21):
            writer.write(b"\r\n" * 50)
            await asyncio.sleep(0.01)
        assert await answered(reader) == "HTTP/1.1 431 Request header fields too large"


async def test_a_request_that_comes_too_slowly_behind_another_spoils_no_answer() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + head(1000) + b"x")
        answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.count(b"HTTP/1.1") == 1


async def test_blank_lines_after_a_request_spoil_no_answer() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await answered(reader) == "HTTP/1.1 200 OK"
        writer.write(b"\r\n")
        parts = 0
        while parts < 2 * 10 * SETTINGS.max_request_arrival_seconds:
            parts += (await asyncio.wait_for(reader.readuntil(b"\n"), 5)).count(b"part")


async def test_a_slow_body_is_cut_off() -> None:
    async with connected() as (reader, writer):
        writer.write(head(1000) + b"x")
        started = asyncio.get_running_loop().time()

        async def drip() -> None:
            for _ in range(30):
                writer.write(b"x")
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        assert await answered(reader) == "HTTP/1.1 408 Too slow"
        assert 0.9 < asyncio.get_running_loop().time() - started < 3
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b"connection: close" in answer
        assert b"application/problem+json" in answer
        dripping.cancel()


async def test_a_large_body_that_comes_fast_enough_has_no_time_limit() -> None:
    parts, seconds = 30, 3 * SETTINGS.max_request_arrival_seconds
    size = int(2 * MIN_BYTES_PER_SECOND * seconds / parts)
    async with connected() as (reader, writer):
        writer.write(head(parts * size, path="/count?after=0"))
        for _ in range(parts):
            writer.write(b"x" * size)
            await asyncio.sleep(seconds / parts)
        assert await answered(reader) == "HTTP/1.1 200 OK"


async def test_a_body_that_waits_for_this_side_has_its_time_when_it_is_read() -> None:
    length = 1024 * 1024
    async with connected() as (reader, writer):
        writer.write(head(length, path="/count?after=1.8") + b"x" * (length - 10))
        await asyncio.sleep(2.5 * SETTINGS.max_request_arrival_seconds)
        writer.write(b"x" * 10)
        assert await answered(reader) == "HTTP/1.1 200 OK"


async def test_a_body_that_never_begins_is_cut_off() -> None:
    async with connected() as (reader, writer):
        writer.write(head(10))
        assert await answered(reader) == "HTTP/1.1 408 Too slow"


async def test_a_body_that_is_too_large_is_rejected_before_it_has_all_come() -> None:
    async with connected() as (reader, writer):
        writer.write(head(200_000) + b"x" * 150_000)
        assert await answered(reader) == "HTTP/1.1 413 Request Entity Too Large"


async def test_a_request_that_is_not_http_is_rejected() -> None:
    async with connected() as (reader, writer):
        writer.write(b"\x16\x03\x01 rubbish\r\n\r\n")
        assert await answered(reader) == "HTTP/1.1 400 Malformed request"


@pytest.mark.parametrize("piece", [b"X-Trailer: a\r\n", b"1;" + b"a" * 100])
async def test_endless_trailers_and_extensions_of_chunks_are_rejected(piece: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"1\r\nx\r\n")
        if piece.startswith(b"X"):
            writer.write(b"0\r\n")
        await asyncio.sleep(0.05)  # else what follows comes together with the body
        for _ in range(SETTINGS.max_header_bytes // len(piece) + 1):
            writer.write(piece)
        assert await answered(reader) == "HTTP/1.1 431 Request header fields too large"


async def test_trailers_do_no_harm_and_chunks_may_be_small() -> None:
    async with connected() as (reader, writer):
        chunked = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        for _ in range(2):
            writer.write(chunked)
            for _ in range(1000):
                writer.write(b"1\r\nx\r\n")
                await asyncio.sleep(0)
            writer.write(b"0\r\nX-Trailer: a\r\n\r\n")
            assert await answered(reader) == "HTTP/1.1 200 OK"
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(4) == b"1000"


async def test_a_body_that_nobody_reads_is_cut_off_and_an_answer_is_not_spoilt() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx")
        answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("lines", "status", "kind"),
    [
        (["Content-Length: 0"], 400, "invalid-host"),
        (["Host: a", "Host: b", "Content-Length: 0"], 400, "invalid-host"),
        (["Host: a", "Host: a", "Content-Length: 0"], 400, "invalid-host"),
        (["Host: a, b", "Content-Length: 0"], 400, "invalid-host"),
        (["Host: a/b", "Content-Length: 0"], 400, "invalid-host"),
        (["Host: user@a", "Content-Length: 0"], 400, "invalid-host"),
        (["Host: a", "Transfer-Encoding: gzip, chunked"], 501, "unsupported-transfer-coding"),
        (["Host: a", "Transfer-Encoding: gzip", "Transfer-Encoding: chunked"], 501, "unsupported-transfer-coding"),
        (["Host: a", "Transfer-Encoding: identity, chunked"], 501, "unsupported-transfer-coding"),
        (["Host: a", "Transfer-Encoding: chunked, chunked"], 400, "malformed"),
        (["Host: a", "Transfer-Encoding: chunked, gzip"], 400, "malformed"),
        (["Host: a", "Transfer-Encoding: gzip"], 400, "malformed"),
        (["Host: a", "Transfer-Encoding: chunked", "Content-Length: 3"], 400, "malformed"),
        (["Host: a", "Content-Length: 3", "Content-Length: 4"], 400, "malformed"),
        (["Host: a", "Content-Length: -1"], 400, "malformed"),
        (["Host: a", "no colon"], 400, "malformed"),
    ],
)
async def test_an_ambiguous_request_is_rejected_with_a_problem_document(lines: list[str], status: int, kind: str) -> None:
    async with connected() as (reader, writer):
        writer.write("\r\n".join(["POST /echo HTTP/1.1", *lines, "", ""]).encode() + b"3\r\nabc\r\n0\r\n\r\n")

        said = (await asyncio.wait_for(reader.read(), 5)).decode()

    headers, _, body = said.partition("\r\n\r\n")
    assert headers.startswith(f"HTTP/1.1 {status} ")
    assert "content-type: application/problem+json" in headers
    assert {"connection: close", "cache-control: no-store", "x-content-type-options: nosniff"} <= set(headers.split("\r\n"))
    problem = orjson.loads(body)
    assert f"x-correlation-id: {problem['correlation_id']}" in headers
    assert (problem["status"], problem["type"]) == (status, f"urn:caudal:problem:{kind}")


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ("1.1", ["Host: "]),
        ("1.1", ["Host: example.org:8080"]),
        ("1.1", ["Host: [::1]:8080"]),
        ("1.1", ["Host: a", "Transfer-Encoding: Chunked"]),
        ("1.0", []),
    ],
)
async def test_a_request_with_one_host_is_answered(version: str, lines: list[str]) -> None:
    is_chunked = any("Chunked" in line for line in lines)
    async with connected() as (reader, writer):
        length = [] if is_chunked else ["Content-Length: 3"]
        start = "\r\n".join([f"POST /echo HTTP/{version}", "Content-Type: application/json", *lines, *length, "", ""])
        writer.write(start.encode() + (b"3\r\nabc\r\n0\r\n\r\n" if is_chunked else b"abc"))

        assert await answered(reader) == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("Host: api.example.org", True),
        ("Host: API.example.org.:8080", True),
        ("Host: [::1]:5001", True),
        ("Host: evil.example", False),
        ("Host: api.example.org.evil.example", False),
        ("Host: 127.0.0.1:5001", False),
        ("Host: ", False),
    ],
)
async def test_a_request_to_a_host_that_is_not_allowed_is_rejected(host: str, is_allowed: bool) -> None:
    async with connected(Settings(allowed_hosts="Api.example.org,[::1]")) as (reader, writer):
        writer.write(f"GET /wait HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n".encode())

        said = (await asyncio.wait_for(reader.read(), 5)).decode()

    assert said.startswith("HTTP/1.1 200 OK" if is_allowed else "HTTP/1.1 421 Misdirected request")
    assert ("urn:caudal:problem:misdirected" in said) is not is_allowed


async def test_a_probe_may_name_any_host() -> None:
    async with connected(Settings(allowed_hosts="api.example.org")) as (reader, writer):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: 10.0.0.7:5001\r\n\r\n")
        assert await answered(reader) == "HTTP/1.1 200 OK"


async def test_an_idle_connection_is_kept_longer_than_proxies_keep_it() -> None:
    assert SETTINGS.keep_alive_seconds > 75, "the default of nginx's upstreams is 60 s, of other proxies up to 75 s"

    async with connected(Settings(keep_alive_seconds=0.5)) as (reader, writer):
        writer.write(head(0))
        assert await answered(reader) == "HTTP/1.1 200 OK"
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(reader.read(), 5)
        assert 0.4 < asyncio.get_running_loop().time() - began < 3


async def test_a_kept_connection_serves_after_a_pause_longer_than_uvicorns_own_limit() -> None:
    async with connected() as (reader, writer):
        for _ in range(2):
            writer.write(head(0))
            assert await answered(reader) == "HTTP/1.1 200 OK"
            await reader.readuntil(b"\r\n\r\n0")
            await asyncio.sleep(5.5)


def test_a_busy_loop_accepts_many_connections_in_one_turn() -> None:
    """Not in pytest's own loop: only libuv's accepts one connection of a listening socket in a turn."""

    async def busy() -> None:
        while True:
            time.sleep(0.02)  # noqa: ASYNC251 - holds up the loop
            await asyncio.sleep(0)

    async def seconds_for(clients: int) -> float:
        async with connected() as (_, writer):
            peer = writer.get_extra_info("peername")
            own = asyncio.get_running_loop()
            others = [socket.create_connection(peer) for _ in range(clients)]
            holding_up = asyncio.create_task(busy())
            began = own.time()
            for other in others:
                other.sendall(head(0))
            answers = await asyncio.to_thread(lambda: [other.recv(12) for other in others])
            holding_up.cancel()
            assert answers == [b"HTTP/1.1 200"] * clients
            for other in others:
                other.close()
            return own.time() - began

    assert uvloop.run(seconds_for(100)) < 1.5
