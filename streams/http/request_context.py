"""The context of a request: its correlation id, its headers and its caller, read once."""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope
from uuid_utils import uuid4

from schemas.access import Caller
from schemas.clients.dialect import Dialect

_CORRELATION_ID = re.compile(r"[\x21-\x7e]{1,200}")
_KEY = "caudal"
CLIENT: ContextVar[str] = ContextVar("client", default="unknown")
"""Address of the client whose request is being answered."""


@dataclass(slots=True)
class RequestContext:
    """The context of one request: its ids, caller and headers, and the headers that are added to the answer."""

    correlation_id: str
    """The request's own ``X-Correlation-Id``, or a new one."""
    headers: dict[bytes, str]
    """By lower-case name; the first one if a name is repeated."""
    method: str
    client: str
    """Address of the client, or ``unknown``."""
    caller: Caller | None = None
    """Set by access control; ``None`` for a request without a token."""
    dialect: Dialect | None = None
    """How errors are reported on the path of the request; ``None``: as problem documents."""
    answer_headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def counted_as(self) -> str:
        """The name under which the request counts against limits: the caller's, or the client's address without one."""
        return self.client if self.caller is None else self.caller.subject

    @classmethod
    def open(cls, scope: Scope) -> "RequestContext":
        """Reads a request's context and keeps it in the request's scope."""
        headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
        given = headers.get(b"x-correlation-id", "")
        client, *_ = scope.get("client") or ("unknown",)
        CLIENT.set(client)
        context = cls(given if _CORRELATION_ID.fullmatch(given) else str(uuid4()), headers, scope["method"], client)
        scope.setdefault("state", {})[_KEY] = context
        return context


def context_of(request: Request) -> RequestContext:
    """Returns the context that the middleware opened for a request."""
    context: RequestContext = request.scope["state"][_KEY]
    return context


def correlation_id(request: Request) -> str:
    """Returns the correlation id of a request."""
    return context_of(request).correlation_id


def header(request: Request, name: bytes) -> str | None:
    """Returns a header of a request by its lower-case name; the first one if it is repeated."""
    return context_of(request).headers.get(name)


def caller_of(request: Request) -> Caller | None:
    """Returns the caller of an authenticated request; ``None`` for one without a token."""
    return context_of(request).caller


def add_headers(request: Request, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Adds headers to the answer of a request, also to an error."""
    context_of(request).answer_headers.extend(headers)
