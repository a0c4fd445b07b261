"""The envelope of a request's command: its id, time, sender and trace."""

from typing import TypeVar
from uuid import UUID

from command_api.clock import now
from command_api.handling.idempotency import KEY
from schemas.envelope import CommandEnvelope
from schemas.errors import Malformed
from schemas.message import Command
from streams.http.request_context import RequestContext
from streams.telemetry.tracing import current_traceparent, is_traceparent

C = TypeVar("C", bound=Command)


def envelope_of(request: RequestContext, command: C, id: UUID) -> CommandEnvelope[C]:
    """Returns the envelope of a request's command; raises `Malformed`."""
    return CommandEnvelope(
        data=command,
        id=id,
        at=now(),
        correlation_id=request.correlation_id,
        actor=_actor(request),
        traceparent=_traceparent(request),
    )


def _actor(request: RequestContext) -> str | None:
    """Returns who sends a command: the token's subject, else ``X-Actor``, which is not verified; raises `Malformed`."""
    given = request.headers.get(b"x-actor")
    if given is not None and not KEY.fullmatch(given):
        raise Malformed("X-Actor must be 1 to 200 visible ASCII characters")
    return given if request.caller is None else request.caller.subject


def _traceparent(request: RequestContext) -> str | None:
    """Returns the W3C trace context of a request: of its span, or the request's own if nothing is traced here."""
    if (current := current_traceparent()) is not None:
        return current
    given = request.headers.get(b"traceparent")
    return given if given is not None and is_traceparent(given) else None
