"""Requests in progress: how many are accepted at once, and which of them take a place, over real connections."""

import asyncio

import orjson
import pytest

from tests.integration.raw_http import SETTINGS, answered, connected, head


async def test_requests_beyond_the_limit_are_rejected_at_once_on_connections_that_stay_open() -> None:
    async with connected(SETTINGS.model_copy(update={"max_requests_in_progress": 2})) as (reader, writer):
        peer = writer.get_extra_info("peername")
        others = [await asyncio.open_connection(*peer) for _ in range(2)]
        for _, other in others:
            other.write(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.1)

        writer.write(head(5) + b"hello")
        began = asyncio.get_running_loop().time()
        assert await answered(reader) == "HTTP/1.1 503 Unavailable"
        assert asyncio.get_running_loop().time() - began < 0.15
        fields, _, body = (await reader.readuntil(b"}\n")).partition(b"\r\n\r\n")
        assert b"retry-after: 1" in fields
        assert orjson.loads(body)["type"] == "urn:caudal:problem:overloaded"
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await answered(reader) == "HTTP/1.1 200 OK"
        await reader.readuntil(b"alive")

        assert [await answered(other) for other, _ in others] == ["HTTP/1.1 200 OK"] * 2
        writer.write(head(5) + b"hello")
        assert await answered(reader) == "HTTP/1.1 200 OK"
        for _, other in others:
            other.close()


@pytest.mark.parametrize(
    "target", ["CONNECT example.org:443", "GET http://[", "GET http://a:b/", "GET http://a:999999/", "GET http:///x"]
)
async def test_a_request_whose_target_is_malformed_takes_no_place(target: str) -> None:
    async with connected(SETTINGS.model_copy(update={"max_requests_in_progress": 1})) as (reader, writer):
        peer = writer.get_extra_info("peername")
        for _ in range(2):
            other, other_writer = await asyncio.open_connection(*peer)
            other_writer.write(f"{target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert (await answered(other)).startswith("HTTP/1.1 400 ")
            other_writer.close()

        writer.write(head(5) + b"hello")
        assert await answered(reader) == "HTTP/1.1 200 OK"


async def test_a_request_takes_a_place_when_its_body_has_arrived() -> None:
    async with connected(SETTINGS.model_copy(update={"max_requests_in_progress": 1})) as (reader, writer):
        peer = writer.get_extra_info("peername")
        slow, slow_writer = await asyncio.open_connection(*peer)
        other, other_writer = await asyncio.open_connection(*peer)
        slow_writer.write(head(5))
        await asyncio.sleep(0.1)

        writer.write(head(5) + b"hello")
        assert await answered(reader) == "HTTP/1.1 200 OK"
        other_writer.write(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.1)
        slow_writer.write(b"hello")
        assert await answered(slow) == "HTTP/1.1 503 Service Unavailable"
        assert b"retry-after: 1" in await slow.readuntil(b"}\n")

        assert await answered(other) == "HTTP/1.1 200 OK"
        slow_writer.write(head(5) + b"hello")
        assert await answered(slow) == "HTTP/1.1 200 OK"
        slow_writer.close()
        other_writer.close()


async def test_pipelined_requests_take_places_until_their_connection_is_lost() -> None:
    async with connected(SETTINGS.model_copy(update={"max_requests_in_progress": 2})) as (reader, writer):
        _, other_writer = await asyncio.open_connection(*writer.get_extra_info("peername"))
        other_writer.write(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        await asyncio.sleep(0.1)
        writer.write(head(5) + b"hello")
        assert await answered(reader) == "HTTP/1.1 503 Unavailable"
        await reader.readuntil(b"}\n")

        other_writer.close()
        await asyncio.sleep(0.4)
        for _ in range(2):
            writer.write(head(5) + b"hello")
            assert await answered(reader) == "HTTP/1.1 200 OK"
            await reader.readuntil(b"\r\n\r\n5")


async def test_live_answers_take_no_place_of_other_requests() -> None:
    async with connected(SETTINGS.model_copy(update={"max_requests_in_progress": 1})) as (reader, writer):
        other, other_writer = await asyncio.open_connection(*writer.get_extra_info("peername"))
        other_writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await other.readuntil(b"part")

        writer.write(head(5) + b"hello")
        assert await answered(reader) == "HTTP/1.1 200 OK"
        other_writer.close()
