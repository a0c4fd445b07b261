"""Access control of both APIs: identifies the caller, limits how often, and decides about permissions."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from schemas.access import Access, Caller, Kind
from schemas.catalog import Catalog
from schemas.errors import Forbidden, Misconfigured, Unauthenticated
from streams.http.request_context import RequestContext, context_of
from streams.installation import Installation
from streams.security.rate_limits import RateLimits
from streams.security.tokens import TokenVerifier

Endpoint = Callable[[Request], Awaitable[Response]]


class AccessControl:
    """Authenticates, limits and authorizes requests."""

    def __init__(self, installation: Installation) -> None:
        """Raises `Misconfigured` if the settings give access to a command, view or log that is not installed."""
        settings = installation.settings
        self._verifier = TokenVerifier(settings)
        self._limits = RateLimits(settings, installation.databases)
        self._overrides: Mapping[str, Access | None] = settings.access
        self._is_seed = settings.profile == "seed"
        if unknown := sorted(settings.access.keys() - _names(installation.catalog)):
            raise Misconfigured(
                f"CAUDAL_ACCESS names what no installed system has: {', '.join(unknown)}. "
                "A name reads `command:system.command`, `view:system.view` or `audit:system.context`"
            )

    def protect(self, path: str, endpoint: Endpoint) -> Endpoint:
        """Returns an endpoint that authenticates each request to a path first."""

        async def protected(request: Request) -> Response:
            await self.authenticate(context_of(request), path)
            return await endpoint(request)

        return protected

    async def authenticate(self, request: RequestContext, path: str) -> None:
        """Identifies the caller of a request, and counts the request against the caller's limits.

        Raises `Unauthenticated` for a token that is not valid, `TooManyRequests`, and `Unavailable`.
        """
        try:
            request.caller = await self._caller(request.headers.get(b"authorization"))
        finally:
            await self.limit(request, path, 1)

    def authorize(self, request: RequestContext, kind: Kind, name: str, declared: Access | None) -> None:
        """Raises `Unauthenticated` or `Forbidden` unless the caller has `effective` access to ``system.name``."""
        access = self.effective(kind, name, declared)
        if access is None:
            return
        if request.caller is None:
            raise Unauthenticated(had_token=False)
        if (why := access.why_not(request.caller)) is not None:
            raise Forbidden(f"the {kind} {name} needs {why}")

    def effective(self, kind: Kind, name: str, declared: Access | None) -> Access | None:
        """Returns the access to ``system.name``, ``None`` if it is open to every caller.

        The settings override the access that the system has ``declared``. What declares none, or is ``open_in_seed``, is open
        in the profile ``seed`` alone.
        """
        is_open = self._is_seed and (declared is None or declared.open_in_seed)
        return self._overrides.get(f"{kind}:{name}", None if is_open else declared or Access())

    async def limit_batch(self, request: RequestContext, path: str, commands: int) -> None:
        """Counts the commands of a batch, whose request is counted already, against its caller's limits.

        Raises `TooLarge` for a batch that never fits a limit, `TooManyRequests`, and `Unavailable`.
        """
        self._limits.check_fits(request.method, path, commands)
        await self.limit(request, path, commands - 1)

    async def limit(self, request: RequestContext, path: str, times: int) -> None:
        """Counts a request ``times`` against its caller's limits; raises `TooManyRequests` and `Unavailable`."""
        if times > 0 and self._limits.apply_to(request.method, path):
            request.answer_headers += await self._limits.spend(request.method, request.counted_as, path, times)

    async def _caller(self, authorization: str | None) -> Caller | None:
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("the scheme of `Authorization` is not supported: use `Bearer`", had_token=False)
        return await self._verifier.caller(token.strip())


def _names(catalog: Catalog) -> set[str]:
    """Returns the names of everything that access can be given to."""
    return {
        *(f"command:{context.system}.{command.message_name}" for context, command in catalog.commands()),
        *(f"view:{context.system}.{view.view_name}" for context, view in catalog.views()),
        *(f"audit:{context}" for context in catalog.contexts),
    }
