"""The gate of both APIs: who is calling, whether they may, and how often."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from schemas.access import Access, Caller
from schemas.catalog import Catalog
from schemas.errors import Forbidden, Misconfigured, Unauthenticated
from streams.database.pools import Databases
from streams.http.surface import add_headers, header
from streams.security.rate_limits import RateLimits
from streams.security.tokens import TokenVerifier
from streams.settings import Settings

Endpoint = Callable[[Request], Awaitable[Response]]
Kind = Literal["command", "view", "audit"]
"""What a caller may be let to: a command, a view, a context's log."""


class Gate:
    """Lets requests in."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        """Raises `Misconfigured` where the settings give access to something that is not there."""
        self._verifier = TokenVerifier(settings)
        self._limits = RateLimits(settings, databases)
        self._instead: Mapping[str, Access] = settings.access
        if strange := sorted(settings.access.keys() - _names(catalog)):
            raise Misconfigured(f"CAUDAL_ACCESS names what no installed system has: {', '.join(strange)}")

    def before(self, path: str, endpoint: Endpoint) -> Endpoint:
        """An endpoint that requests of one path enter through the gate."""

        async def enter(request: Request) -> Response:
            await self.enter(request, path)
            return await endpoint(request)

        return enter

    async def enter(self, request: Request, path: str) -> None:
        """Finds out who is calling, and counts the request against their limits.

        Raises `Unauthenticated` for a token that cannot be believed, `TooManyRequests`, and `Unavailable`.
        """
        request.scope["state"]["caller"] = None
        try:
            request.scope["state"]["caller"] = await self._caller(request)
        finally:
            await self.count(request, path, 1)

    def check(self, request: Request, kind: Kind, name: str, declared: Access | None) -> None:
        """Whether a caller may have what is called ``system.name``; raises `Unauthenticated` or `Forbidden`."""
        access = self._instead.get(f"{kind}:{name}", declared)
        if access is None:
            return
        caller = caller_of(request)
        if caller is None:
            raise Unauthenticated(had_token=False)
        if (why := access.why_not(caller)) is not None:
            raise Forbidden(why)

    async def count(self, request: Request, path: str, times: int) -> None:
        """Counts a request as so many against its caller's limits; raises `TooManyRequests` and `Unavailable`."""
        if times > 0 and self._limits.apply_to(request.method):
            add_headers(request, await self._limits.spend(request.method, counted_as(request), path, times))

    async def _caller(self, request: Request) -> Caller | None:
        given = header(request, b"authorization")
        if given is None:
            return None
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("only Bearer tokens are taken", had_token=False)
        return await self._verifier.caller(token.strip())


def caller_of(request: Request) -> Caller | None:
    """Who is calling, once the request has entered; ``None`` for somebody without a token."""
    caller: Caller | None = request.scope["state"]["caller"]
    return caller


def counted_as(request: Request) -> str:
    """By whom a request is counted against limits: the caller, or the address where that is nobody known."""
    caller = caller_of(request)
    if caller is not None:
        return caller.subject
    return "unknown" if request.client is None else request.client.host


def _names(catalog: Catalog) -> set[str]:
    """Everything that access can be given to."""
    return {
        *(f"command:{context.system}.{command.message_name}" for context, command in catalog.commands()),
        *(f"view:{context.system}.{view.view_name}" for context, view in catalog.views()),
        *(f"audit:{context}" for context in catalog.contexts),
    }
