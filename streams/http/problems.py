"""Problem details (RFC 9457): the form in which both APIs report an error, unless the path has a dialect of its own."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import (
    CaudalError,
    Forbidden,
    Invalid,
    Rejected,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from streams.http.request_context import add_headers, context_of, correlation_id
from streams.http.responses import JsonResponse

_log = structlog.get_logger()
_CHALLENGE = 'Bearer realm="caudal"'
_NOT_IN_CHALLENGES = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")

PROBLEM_TYPE = "application/problem+json"
"""Media type of problem documents."""
STATUSES = {
    "malformed": 400,
    "invalid": 422,
    "too_large": 413,
    "too_costly": 422,
    "unsupported_format": 415,
    "rejected": 422,
    "failed": 422,
    "already_exists": 409,
    "does_not_exist": 422,
    "conflict": 409,
    "in_progress": 409,
    "key_reused": 422,
    "precondition_failed": 412,
    "precondition_required": 428,
    "not_found": 404,
    "unauthenticated": 401,
    "forbidden": 403,
    "too_many_requests": 429,
    "sign_ins_blocked": 429,
    "not_as_signed": 409,
    "unavailable": 503,
    "raced": 503,
    "overloaded": 503,
    "not_yet_seen": 503,
    "view_outdated": 503,
    "bad_gateway": 502,
    "gateway_timeout": 504,
}
"""HTTP status of each kind of error; a kind that is not listed is a fault of the server (500)."""

TITLES = {
    400: "Malformed request",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    410: "Gone",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported format",
    421: "Misdirected request",
    422: "Rejected",
    428: "Precondition required",
    429: "Too many requests",
    431: "Request header fields too large",
    500: "Internal error",
    501: "Not implemented",
    502: "Bad gateway",
    503: "Unavailable",
    504: "Gateway timeout",
}


class ProblemViolation(BaseModel):
    """One violation in the input."""

    pointer: str = Field(description="JSON pointer (RFC 6901) to the invalid value; empty for the whole document.")
    detail: str


class Problem(BaseModel):
    """A problem document, served as ``application/problem+json``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:caudal:problem:invalid",
                    "title": "Rejected",
                    "status": 422,
                    "detail": "the body is not valid",
                    "errors": [{"pointer": "/name", "detail": "Field required"}],
                    "correlation_id": "01940000-0000-7000-8000-000000000001",
                }
            ]
        },
    )

    type: str = Field(default="about:blank", description="`urn:caudal:problem:` and the kind of error.")
    title: str
    status: int
    detail: str
    errors: list[ProblemViolation] | None = Field(default=None, description="The violations in the input, 100 at most.")
    correlation_id: str | None = None


def type_of(kind: str) -> str:
    """Returns the type of a problem document for a kind of error."""
    return f"urn:caudal:problem:{kind.replace('_', '-')}"


def status_of(kind: str) -> int:
    """Returns the HTTP status of a kind of error that is no fault of the server, or of a rejection that a system named."""
    return STATUSES.get(kind, STATUSES[Rejected.kind])


def problem_of(error: CaudalError, correlation_id: str | None = None) -> Problem:
    """Returns the problem document of an error."""
    status = status_of(error.kind) if isinstance(error, Rejected) else STATUSES.get(error.kind, 500)
    violations = error.violations if isinstance(error, Invalid) else ()
    if isinstance(error, Rejected) and error.correlation_id is not None:
        correlation_id = error.correlation_id  # a repeated command gets the first answer, unchanged
    return Problem(
        type=type_of(error.kind),
        title=TITLES[status],
        status=status,
        detail=_detail(error, status),
        errors=[ProblemViolation(pointer=v.pointer, detail=v.detail) for v in violations] or None,
        correlation_id=correlation_id,
    )


def _detail(error: CaudalError, status: int) -> str:
    if status == 500:
        return "The server failed. Its log has the details, by the correlation id."
    return error.public if isinstance(error, Unavailable) else error.detail


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Returns a problem document as a response."""
    body = orjson.dumps(problem.model_dump(exclude_none=True), option=orjson.OPT_APPEND_NEWLINE)
    return Response(body, problem.status, headers, PROBLEM_TYPE)


def answer_error(request: Request, error: Exception) -> Response:
    """Returns the response to an error, with the headers that its kind needs."""
    if isinstance(error, HTTPException):
        problem = Problem(
            title=TITLES.get(error.status_code, HTTPStatus(error.status_code).phrase),
            status=error.status_code,
            detail=_hint(error, request),
            correlation_id=correlation_id(request),
        )
        return problem_response(problem, error.headers)
    if not isinstance(error, CaudalError) or (problem := problem_of(error, correlation_id(request))).status == 500:
        problem = internal_error(request, error)
        return _in_dialect(request, CaudalError(problem.detail), problem) or problem_response(problem)
    if isinstance(error, TooManyRequests):
        add_headers(request, error.headers)
    headers = _headers_of(error)
    return _in_dialect(request, error, problem, headers) or problem_response(problem, headers)


def _in_dialect(
    request: Request, error: CaudalError, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response | None:
    """Returns the response to an error in the dialect of the request's path, unless the client wants a problem document."""
    context = context_of(request)
    if context.dialect is None or PROBLEM_TYPE in context.headers.get(b"accept", ""):
        return None
    body = context.dialect.answer(error, problem.detail).model_dump(mode="json", exclude_none=True)
    status = context.dialect.status_of(error.kind, problem.status)
    return JsonResponse(body, status, {**(headers or {}), "Vary": "Accept"})


def _hint(error: HTTPException, request: Request) -> str:
    """Returns what a client can do about an error that no operation raised: a path or a method that does not exist."""
    if error.status_code == 404:
        return f"there is no path {request.url.path!r}: /docs lists the paths"
    if error.status_code == 405:
        return f"{request.method} is not allowed here; allowed: {(error.headers or {}).get('Allow', '')}"
    return error.detail


def internal_error(request: Request, error: Exception) -> Problem:
    """Logs a fault of the server and returns its problem document, which says nothing about the fault."""
    _log.error("request failed", path=request.url.path, exc_info=error)
    return problem_of(CaudalError(str(error)), correlation_id(request))


def _headers_of(error: CaudalError) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, TooLarge):
        headers["Connection"] = "close"  # the rest of the body is not read
    if isinstance(error, Unavailable | TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = _CHALLENGE + (f', error="invalid_token", {_described(error)}' if error.had_token else "")
    if isinstance(error, Forbidden):
        headers["WWW-Authenticate"] = f'{_CHALLENGE}, error="insufficient_scope", {_described(error)}'
    return headers


def _described(error: CaudalError) -> str:
    """Returns an error's detail in the characters that a challenge allows (RFC 6750, section 3)."""
    return f'error_description="{_NOT_IN_CHALLENGES.sub("?", error.detail)}"'


EXCEPTION_HANDLERS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    CaudalError: answer_error,
    HTTPException: answer_error,
}
