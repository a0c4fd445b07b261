"""Problem details (RFC 9457): the one form in which either API reports an error."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import CaudalError, Invalid, Rejected, Unavailable

STATUSES = {
    "malformed": 400,
    "invalid": 422,
    "too_large": 413,
    "unsupported_format": 415,
    "rejected": 422,
    "already_exists": 409,
    "conflict": 409,
    "in_progress": 409,
    "key_reused": 422,
    "precondition_failed": 412,
    "precondition_required": 428,
    "not_found": 404,
    "unauthenticated": 401,
    "forbidden": 403,
    "too_many_requests": 429,
    "not_as_signed": 409,
    "unavailable": 503,
    "not_yet_seen": 503,
}
"""HTTP status of each kind of error; a kind that is not listed is a fault of ours (500)."""

TITLES = {
    400: "Malformed request",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported format",
    422: "Rejected",
    428: "Precondition required",
    429: "Too many requests",
    431: "Request header fields too large",
    500: "Internal error",
    503: "Unavailable",
}


class ProblemViolation(BaseModel):
    pointer: str = Field(description="JSON pointer (RFC 6901) to the offending value; empty for the whole document.")
    detail: str


class Problem(BaseModel):
    """A problem document, served as ``application/problem+json``."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(default="about:blank", description="`urn:caudal:problem:` and the kind of error.")
    title: str
    status: int
    detail: str
    errors: list[ProblemViolation] | None = Field(default=None, description="Each thing wrong with the input.")
    correlation_id: str | None = None


def problem_of(error: CaudalError, correlation_id: str | None = None) -> Problem:
    """The problem document of an error."""
    status = STATUSES.get(error.kind, STATUSES[Rejected.kind] if isinstance(error, Rejected) else 500)
    violations = error.violations if isinstance(error, Invalid) else ()
    if isinstance(error, Rejected) and error.correlation_id is not None:
        correlation_id = error.correlation_id  # a repeat gets the first answer to the letter
    return Problem(
        type=f"urn:caudal:problem:{error.kind.replace('_', '-')}",
        title=TITLES[status],
        status=status,
        detail=_detail(error, status),
        errors=[ProblemViolation(pointer=v.pointer, detail=v.detail) for v in violations] or None,
        correlation_id=correlation_id,
    )


def _detail(error: CaudalError, status: int) -> str:
    if status == 500:
        return "Something failed on our side; the log has the details."
    return error.public if isinstance(error, Unavailable) else error.detail
