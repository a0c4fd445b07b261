"""Who a command is: its id, from an idempotency key or new, when and by whom it is sent, and the trace that it belongs to."""

import re
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid5

from starlette.requests import Request
from uuid_utils.compat import uuid7

from schemas.catalog import ContextName
from schemas.envelope import CommandEnvelope
from schemas.errors import Malformed
from schemas.message import Command
from streams.http.request_context import caller_of, correlation_id, header
from streams.telemetry.tracing import current_traceparent

C = TypeVar("C", bound=Command)

KEY = re.compile(r"^[\x21-\x7e]{1,200}$")
_KEYED_COMMANDS = UUID("0d4bd3a8-5a3b-5d0f-8e43-5f2f4a1b9c77")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def command_id(context: ContextName, key: str | None, given: str | None = None) -> UUID:
    """The id of a command: the one that is given, the same for the same key in a context, or a new one.

    Over HTTP and by topic alike, so that a command is recognised whichever way it comes again. Raises `Malformed`.
    """
    if key is None:
        return uuid7() if given is None else _given(given)
    if given is not None:
        raise Malformed("a command is named by an Idempotency-Key or by an id, not by both")
    if not KEY.match(key):
        raise Malformed("Idempotency-Key must be 1 to 200 visible ASCII characters")
    return uuid5(_KEYED_COMMANDS, f"{context}/{key}")


def _given(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed("the command's id must be a UUID") from None


def now() -> datetime:
    """The time at which a command that arrives now is issued."""
    return datetime.now(UTC)


def issued(request: Request, command: C, id: UUID) -> CommandEnvelope[C]:
    """A command as a request sends it, now; raises `Malformed`."""
    return CommandEnvelope(
        data=command,
        id=id,
        at=now(),
        correlation_id=correlation_id(request),
        actor=actor(request),
        traceparent=traceparent(request),
    )


def actor(request: Request) -> str | None:
    """Who sends a command: the token's subject, else by their own word, ``X-Actor``; raises `Malformed`."""
    if (caller := caller_of(request)) is not None:
        return caller.subject
    given = header(request, b"x-actor")
    if given is not None and not KEY.match(given):
        raise Malformed("X-Actor must be 1 to 200 visible ASCII characters")
    return given


def traceparent(request: Request) -> str | None:
    """The W3C trace context of a request: of its span, or, where nothing is traced, the one that it came with."""
    if (current := current_traceparent()) is not None:
        return current
    given = header(request, b"traceparent")
    return given if given is not None and _TRACEPARENT.fullmatch(given) else None
