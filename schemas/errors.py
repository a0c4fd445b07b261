"""The tree of errors, and the places of faults in an input. Each kind has one meaning, and one HTTP status in both APIs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of an input."""

    pointer: str
    """JSON pointer (RFC 6901) to the offending value; ``""`` is the whole document."""
    detail: str


def pointer_of(path: Iterable[str | int]) -> str:
    """Returns the JSON pointer (RFC 6901) to the value that these member names and indexes lead to."""
    pointer = ""
    for key in path:
        pointer = step(pointer, key)
    return pointer


def step(pointer: str, key: str | int) -> str:
    """Returns the JSON pointer to a member or an element of the value that ``pointer`` leads to."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


class CaudalError(Exception):
    """An operation of Caudal failed."""

    kind: str = "internal"

    @property
    def detail(self) -> str:
        """The message: the class's docstring if none is given."""
        return str(self.args[0]) if self.args else (type(self).__doc__ or self.kind)


class Invalid(CaudalError):
    """The input is not valid."""

    kind = "invalid"

    def __init__(self, detail: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(detail)
        self.violations = tuple(violations)

    @property
    def reasons(self) -> str:
        """The violations as one line, each with its pointer; the detail if there are none."""
        return "; ".join(f"{one.pointer} {one.detail}".strip() for one in self.violations) or self.detail


class Malformed(Invalid):
    """The input cannot be read at all."""

    kind = "malformed"


class TooLarge(Invalid):
    """The input is larger than the limit."""

    kind = "too_large"


class TooCostly(Invalid):
    """The input makes a computation take too long, or too much memory."""

    kind = "too_costly"


class CostlyBefore(TooCostly):
    """Other input of the same origin took too long, or too much memory, several times within a minute."""


class UnsupportedFormat(Invalid):
    """The format of the input is not supported."""

    kind = "unsupported_format"


class Rejected(CaudalError):
    """A domain rule rejects the command."""

    kind = "rejected"

    def __init__(self, *detail: str, correlation_id: str | None = None) -> None:
        super().__init__(*detail)
        self.correlation_id = correlation_id
        """The correlation id of the first rejected request, if this answers a repeat of it."""

    def of_kind(self, kind: str) -> Self:
        """Returns the rejection itself as one of a kind, which a system may have of its own."""
        self.kind = kind
        return self


class Failed(Rejected):
    """The decision failed on this command; a repeat would fail as well."""

    kind = "failed"


class Conflict(CaudalError):
    """Another command changed the stream first: it is not at the expected version."""

    kind = "conflict"


class AlreadyExists(Rejected):
    """The thing to be created exists already."""

    kind = "already_exists"


class DoesNotExist(Rejected):
    """The thing that the command is about does not exist."""

    kind = "does_not_exist"


class InProgress(Conflict):
    """A command with this id is in progress."""

    kind = "in_progress"


class PreconditionFailed(CaudalError):
    """The stream is not at the version that the caller asked for."""

    kind = "precondition_failed"


class PreconditionRequired(CaudalError):
    """This context accepts a command only with the expected version of its stream."""

    kind = "precondition_required"


class IdempotencyKeyReused(CaudalError):
    """This command id or idempotency key was used before for another command."""

    kind = "key_reused"


class UnexpectedEvent(Rejected):
    """The event is not allowed at this point of its saga."""


class NotFound(CaudalError):
    """Nothing has this name or id."""

    kind = "not_found"


class Unauthenticated(CaudalError):
    """The request has no valid token."""

    kind = "unauthenticated"

    def __init__(self, detail: str = "this needs a token: Authorization: Bearer …", *, had_token: bool = True) -> None:
        super().__init__(detail)
        self.had_token = had_token
        self.attempts_left: int | None = None
        """After a wrong password: how many the account has left; ``None`` without a limit."""


class Forbidden(CaudalError):
    """The caller is not allowed to do this."""

    kind = "forbidden"


class TooManyRequests(CaudalError):
    """The caller sent more requests than its limit allows."""

    kind = "too_many_requests"

    def __init__(self, detail: str, retry_after: int, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.headers = tuple(headers)
        """The headers that describe the limits."""


class SignInsBlocked(TooManyRequests):
    """The account or the address has too many failed attempts to sign in."""

    kind = "sign_ins_blocked"


class Unavailable(CaudalError):
    """A dependency is out of reach; the same call may succeed later."""

    kind = "unavailable"

    retry_after = 1
    """Seconds after which the caller should retry."""

    def __init__(self, public: str | None = None, inner: str = "") -> None:
        """``inner`` is a detail for operators, such as a driver's message; clients do not get it."""
        self.public = public or (type(self).__doc__ or self.kind)
        super().__init__(f"{self.public}: {inner}" if inner else self.public)


class BadGateway(CaudalError):
    """The connection to the API broke before its answer; whether the request was handled is not known."""

    kind = "bad_gateway"


class GatewayTimeout(CaudalError):
    """The API has not answered in time; whether the request was handled is not known."""

    kind = "gateway_timeout"


class Raced(Conflict, Unavailable):
    """Another transaction was faster, and the database rolled this one back; the same call may succeed at once."""

    kind = "raced"


class Overloaded(Unavailable):
    """The process has more requests than it can answer in time."""

    kind = "overloaded"


class Undeliverable(CaudalError):
    """The mail server did not accept the mail."""

    kind = "undeliverable"

    def __init__(self, detail: str, *, may_work_later: bool) -> None:
        super().__init__(detail)
        self.may_work_later = may_work_later


class NotYetSeen(Unavailable):
    """The view has not applied the write that the consistency token names."""

    kind = "not_yet_seen"


class ViewOutdated(Unavailable):
    """The table of a view does not have the columns that the installed code declares."""

    kind = "view_outdated"


class DeadLettersFull(Unavailable):
    """A subscription is blocked by its number of dead letters, until some are repaired or skipped."""

    kind = "dead_letters_full"


class ConsumerStopped(CaudalError):
    """A consumer no longer receives the records of its topics: its process must be restarted."""

    kind = "consumer_stopped"


class NotAsSigned(CaudalError):
    """The log differs from its signed head: it was altered."""

    kind = "not_as_signed"


class Damaged(CaudalError):
    """Something that was stored is missing or was altered."""

    kind = "damaged"


class Unusable(CaudalError):
    """The installed code cannot read a stored state."""

    kind = "unusable_snapshot"


class WentBack(CaudalError):
    """A log lacks events that were published: it was restored from a backup, or a failover lost them."""

    kind = "went_back"


class LeaseLost(CaudalError):
    """Another process holds the lease of this log's relay."""

    kind = "lease_lost"


class Misconfigured(CaudalError):
    """The code or the settings of the installation are wrong."""

    kind = "misconfigured"


class SchemaMismatch(Misconfigured):
    """A database does not have the tables or columns that this version of Caudal uses."""
