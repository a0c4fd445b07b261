"""Files at other servers: fetched from the sources that the deployment allows, and from nowhere else.

A URL comes from a client, so it must not make this process call an inner address (server-side request forgery)::

    URL ── begins with a source ── name resolved ── address public, or in an allowed network ── connected to that address
               └─ redirects are checked like the first URL, and stay at its origin

A source that cannot be reached is left alone for some time: requests for its files fail at once.
"""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_UNSPEC, AddressFamily
from urllib.parse import unquote

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from schemas.errors import NotFound, Rejected, TooLarge, Unavailable
from streams.security.fair_turns import FairTurns
from streams.settings import Settings

NOT_ALLOWED = "the deployment allows no files from this URL (CAUDAL_FILE_SOURCES)"
_NO_ADDRESS = "the source has no address that the deployment allows (CAUDAL_FILE_SOURCE_NETWORKS)"
_SECONDS, _CONNECT_SECONDS = 30.0, 3.0
_TURNS, _PLACES = 4, 1000
_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MISSING = frozenset({404, 410})
_PAUSE_SECONDS = 30.0
"""The time for which a source that cannot be reached is left alone."""
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"), IPv6Network("2002::/16"), IPv6Network("2001::/32"))
"""IPv6 addresses that lead to an IPv4 address, which may be an inner one (NAT64, 6to4, Teredo)."""


class RemoteFiles:
    """The files of the allowed sources."""

    def __init__(self, sources: Sequence[str], networks: str, max_bytes: int) -> None:
        self._sources = [URL(source) for source in sources]
        self._networks = [ip_network(one) for one in map(str.strip, networks.split(",")) if one]
        self._max_bytes = max_bytes
        self._turns = FairTurns(_TURNS, _PLACES)
        self._silent_until: dict[URL, float] = {}

    @classmethod
    def of(cls, settings: Settings) -> "RemoteFiles":
        """Returns the files that the settings allow; all callers of a process share the turns."""
        return _opened(tuple(settings.file_sources), settings.file_source_networks, settings.max_file_bytes)

    async def get(self, url: str) -> bytes:
        """Returns a whole file, within 30 s.

        Raises `Rejected` if the URL or its address is not allowed, `NotFound`, `TooLarge`, and `Unavailable`. No error names
        the URL, which may name a person.
        """
        first = self._allowed(url)
        origin = first.origin()
        async with self._turns.turn("fetch", str(origin)):
            if self._silent_until.get(origin, 0) > time.monotonic():
                raise Unavailable("the source did not answer lately: try again in half a minute")
            try:
                return await self._fetched(first)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                self._silent_until[origin] = time.monotonic() + _PAUSE_SECONDS
                raise Unavailable(f"the source cannot be reached: {type(error).__name__}") from None
            except (aiohttp.ClientError, OSError) as error:  # a time-out is an OSError
                raise Unavailable(f"the source does not answer: {type(error).__name__}") from None

    def _allowed(self, text: str, base: URL | None = None) -> URL:
        """Returns a URL below one of the sources, perhaps one relative to ``base``; raises `Rejected`."""
        try:
            url = (URL() if base is None else base).join(URL(text)).with_fragment(None)
            is_plain = url.scheme in ("http", "https") and bool(url.host) and url.user is None and url.password is None
            path = unquote(unquote(url.raw_path)).replace("\\", "/")
            segments = {segment.partition(";")[0].strip() for segment in path.split("/")}
        except ValueError:
            raise Rejected(NOT_ALLOWED) from None
        below = any(
            url.origin() == source.origin() and url.raw_path.startswith(source.raw_path)
            for source in (self._sources if is_plain else ())
        )
        if not below or not {".", ".."}.isdisjoint(segments) or _is_disguised(url.host or ""):
            raise Rejected(NOT_ALLOWED)
        return url

    async def _fetched(self, url: URL) -> bytes:
        connector = aiohttp.TCPConnector(resolver=_AllowedAddresses(self), use_dns_cache=False, force_close=True)
        timeout = aiohttp.ClientTimeout(total=_SECONDS, sock_connect=_CONNECT_SECONDS)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        ) as session:
            for _ in range(_MAX_REDIRECTS + 1):
                self._check_literal(url)
                async with session.get(url, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as answer:
                    if answer.status not in _REDIRECTS:
                        return await self._read(answer)
                    url = self._redirected(url, answer.headers)
        raise Rejected("the source redirects too often")

    def _redirected(self, url: URL, headers: Mapping[str, str]) -> URL:
        target = self._allowed(headers.get("Location", ""), url)
        if target.origin() != url.origin():
            raise Rejected(NOT_ALLOWED)
        return target

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        if answer.status in _MISSING:
            raise NotFound("the source has no such file")
        if answer.status != 200 or answer.headers.get("Content-Encoding", "identity") != "identity":
            raise Unavailable(f"the source answers {answer.status}, and no plain file")
        parts, size = [], 0
        async for part in answer.content.iter_any():
            size += len(part)
            if size > self._max_bytes:
                raise TooLarge(f"a file may have {self._max_bytes} bytes at most")
            parts.append(part)
        return b"".join(parts)

    def _check_literal(self, url: URL) -> None:
        """Raises `Rejected` for a host that is an address, which no resolver sees, and not an allowed one."""
        try:
            address = ip_address(url.host or "")
        except ValueError:
            return
        if not self.allows(address):
            raise Rejected(_NO_ADDRESS)

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        """Returns whether this process may connect to an address."""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address in network for network in self._networks):
            return True
        is_translated = isinstance(address, IPv6Address) and any(address in network for network in _TRANSLATED)
        return address.is_global and not address.is_multicast and not is_translated


def _is_disguised(host: str) -> bool:
    """Returns whether a host is an IPv4 address in another form than four numbers: ``2130706433``, ``127.1``, ``0x7f.1``."""
    last = host.removesuffix(".").rpartition(".")[2].lower()
    try:
        ip_address(host)
    except ValueError:
        return last.isdigit() or last.startswith("0x")
    return False


class _AllowedAddresses(AbstractResolver):
    """Resolves names to the addresses to which this process may connect: the connection is made to one of exactly these."""

    def __init__(self, files: RemoteFiles) -> None:
        self._files, self._resolver = files, ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_UNSPEC) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        allowed = [one for one in found if self._files.allows(ip_address(one["host"].partition("%")[0]))]
        if not allowed:
            raise Rejected(_NO_ADDRESS)
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


@cache
def _opened(sources: tuple[str, ...], networks: str, max_bytes: int) -> RemoteFiles:
    return RemoteFiles(sources, networks, max_bytes)
