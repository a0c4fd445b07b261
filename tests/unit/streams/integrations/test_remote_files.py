"""Files of other servers: from allowed sources alone, also if a name or a redirect leads elsewhere."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.errors import NotFound, Rejected, TooLarge, Unavailable
from streams.integrations.remote_files import RemoteFiles
from streams.settings import Settings

LOOPBACK = "127.0.0.1"


class Source:
    """A server with a few files, and the paths that were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.elsewhere = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        match request.path.rpartition("/")[2]:
            case "one.dcm":
                return web.Response(body=b"DICM")
            case "large.dcm":
                return web.Response(body=b"x" * 2000)
            case "zipped.dcm":
                return web.Response(body=b"x", headers={"Content-Encoding": "gzip"})
            case "moved.dcm":
                return web.Response(status=302, headers={"Location": "one.dcm"})
            case "loop.dcm":
                return web.Response(status=302, headers={"Location": "loop.dcm"})
            case "out.dcm":
                return web.Response(status=302, headers={"Location": "/private/one.dcm"})
            case "elsewhere.dcm":
                return web.Response(status=302, headers={"Location": self.elsewhere})
            case "nowhere.dcm":
                return web.Response(status=302, headers={"Location": "http://[::1"})
            case "broken.dcm":
                return web.Response(status=500)
        return web.Response(status=404)


@pytest.fixture
async def source() -> AsyncIterator[tuple[Source, str]]:
    source = Source()
    app = web.Application()
    app.router.add_get("/{path:.*}", source.answer)
    async with TestServer(app, host=LOOPBACK) as server:
        yield source, f"http://{LOOPBACK}:{server.port}"


def files(*sources: str, networks: str = f"{LOOPBACK}/32") -> RemoteFiles:
    return RemoteFiles(sources, networks, max_bytes=1000)


async def test_a_file_below_a_source_is_fetched(source: tuple[Source, str]) -> None:
    _, url = source
    remote = files(f"{url}/studies/")

    assert await remote.get(f"{url}/studies/one.dcm#part") == b"DICM"
    assert await remote.get(f"{url}/studies/moved.dcm") == b"DICM"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("none.dcm", NotFound),
        ("large.dcm", TooLarge),
        ("zipped.dcm", Unavailable),
        ("broken.dcm", Unavailable),
        ("loop.dcm", Rejected),
        ("out.dcm", Rejected),
        ("elsewhere.dcm", Rejected),
        ("nowhere.dcm", Rejected),
    ],
)
async def test_what_is_no_plain_file_of_the_source_is_not(
    source: tuple[Source, str], name: str, error: type[Exception]
) -> None:
    server, url = source
    server.elsewhere = url.replace(LOOPBACK, "localhost") + "/studies/one.dcm"

    with pytest.raises(error) as raised:
        await files(f"{url}/studies/", server.elsewhere.removesuffix("one.dcm")).get(f"{url}/studies/{name}")
    assert name not in f"{raised.value.args}{raised.value.__cause__!r}", "the URL may name a person"
    assert "/private/one.dcm" not in server.asked
    assert "/studies/one.dcm" not in server.asked


@pytest.mark.parametrize(
    "path",
    [
        "/private/one.dcm",
        "/studies",
        "/studies/../private/one.dcm",
        "/studies/%2e%2e/private/one.dcm",
        "/studies/..%2fprivate/one.dcm",
        "/studies/%252e%252e/private/one.dcm",
        "/studies/..\\private/one.dcm",
        "/studies/..;/private/one.dcm",
        "/studies/%2e%2e;a=b/private/one.dcm",
    ],
)
async def test_a_url_that_is_not_below_a_source_is_not_fetched(source: tuple[Source, str], path: str) -> None:
    server, url = source

    with pytest.raises(Rejected):
        await files(f"{url}/studies/").get(url + path)
    assert server.asked == []


@pytest.mark.parametrize(
    "url", ["", "x", "file:///etc/passwd", "ftp://a.example/", "http://", "//a.example/x", "http://[::1", "http://a b/"]
)
async def test_what_is_no_url_of_a_server_is_not_fetched(url: str) -> None:
    with pytest.raises(Rejected):
        await files("http://a.example/").get(url)


async def test_the_name_of_a_user_does_not_hide_the_host() -> None:
    for url in ("http://a.example@127.0.0.1/x", "http://a.example:80@127.0.0.1/x", "http://127.0.0.1\\@a.example/x"):
        with pytest.raises(Rejected):
            await files("http://a.example/").get(url)


@pytest.mark.parametrize("host", [LOOPBACK, "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"])
async def test_a_source_at_an_inner_address_is_not_called_unless_its_network_is_allowed(
    source: tuple[Source, str], host: str
) -> None:
    server, url = source
    port = url.rpartition(":")[2]
    origin = f"http://{host}:{port}"

    with pytest.raises(Rejected):
        await files(f"{origin}/", networks="").get(f"{origin}/one.dcm")
    assert server.asked == []


async def test_a_name_that_resolves_otherwise_at_each_look_up_is_called_at_the_address_that_was_checked(
    source: tuple[Source, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = source
    port = int(url.rpartition(":")[2])
    looked_up: list[str] = []
    inner, outer = LOOPBACK, "93.184.216.34"

    def resolve(host: str, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        looked_up.append(host)
        addresses = [outer, inner] if len(looked_up) == 1 else [inner]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    connected: list[str] = []
    remote = files(f"http://pacs.example:{port}/", networks="")

    async def connect(address: str) -> None:
        connected.append(address)
        raise OSError("no network in this test")

    _only_connect_by(monkeypatch, connect)
    with pytest.raises(Unavailable):
        await remote.get(f"http://pacs.example:{port}/one.dcm")
    assert (looked_up, set(connected)) == (["pacs.example"], {outer})
    remote._silent_until.clear()
    with pytest.raises(Rejected):
        await remote.get(f"http://pacs.example:{port}/one.dcm")
    assert server.asked == []


def _only_connect_by(monkeypatch: pytest.MonkeyPatch, connect: Callable[[str], Awaitable[None]]) -> None:
    async def start_connection(addr_infos: list[Any], **_: Any) -> None:
        for info in addr_infos:
            await connect(info[4][0])

    monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", start_connection)


async def test_a_source_that_does_not_answer_is_left_alone_for_some_time(source: tuple[Source, str]) -> None:
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        gone = f"http://{LOOPBACK}:{unused.getsockname()[1]}"
    _, url = source
    remote = files(f"{gone}/", f"{url}/")

    with pytest.raises(Unavailable, match="cannot be reached"):
        await remote.get(f"{gone}/one.dcm")
    with pytest.raises(Unavailable, match="did not answer lately"):
        await remote.get(f"{gone}/one.dcm")
    assert await remote.get(f"{url}/one.dcm") == b"DICM"


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("93.184.216.34", True),
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("2606:2800:220:1::1", True),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:10.2.0.1", False),
        ("64:ff9b::a02:1", False),
        ("2002:a02:1::", False),
    ],
)
def test_inner_addresses_are_not_called(address: str, is_allowed: bool) -> None:
    assert files(networks="10.1.0.0/16").allows(ip_address(address)) == is_allowed


async def test_without_sources_nothing_is_fetched() -> None:
    with pytest.raises(Rejected, match="CAUDAL_FILE_SOURCES"):
        await RemoteFiles.of(Settings()).get("http://93.184.216.34/x")
