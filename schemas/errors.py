"""One tree of errors; each kind has one HTTP status in each API and one meaning everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with an input."""

    pointer: str
    """Where, as a JSON pointer (RFC 6901); ``""`` is the whole document."""
    detail: str


class CaudalError(Exception):
    """Something went wrong in Caudal."""

    kind: ClassVar[str] = "internal"

    @property
    def detail(self) -> str:
        """The message, or the class's docstring where none was given."""
        return str(self.args[0]) if self.args else (type(self).__doc__ or self.kind)


class Invalid(CaudalError):
    """The input does not have the form that is asked for."""

    kind = "invalid"

    def __init__(self, detail: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(detail)
        self.violations = tuple(violations)


class Malformed(Invalid):
    """The input cannot be read at all."""

    kind = "malformed"


class TooLarge(Invalid):
    """The input is larger than the limit."""

    kind = "too_large"


class UnsupportedFormat(Invalid):
    """The input is in a format that is not read here."""

    kind = "unsupported_format"


class Rejected(CaudalError):
    """A rule of the domain says no."""

    kind = "rejected"

    def __init__(self, *detail: str, correlation_id: str | None = None) -> None:
        super().__init__(*detail)
        self.correlation_id = correlation_id
        """That of the request which was rejected first, where this is the answer to a repeat."""


class Failed(Rejected):
    """The decision broke down on this command, as it would each time."""

    kind = "failed"


class Conflict(CaudalError):
    """Somebody else was faster: the stream is not at the version that was expected."""

    kind = "conflict"


class AlreadyExists(Rejected):
    """What was to be made is there already."""

    kind = "already_exists"


class InProgress(Conflict):
    """A command with this id is being handled right now."""

    kind = "in_progress"


class PreconditionFailed(CaudalError):
    """The stream is not at the version that the caller asked for."""

    kind = "precondition_failed"


class PreconditionRequired(CaudalError):
    """This context takes commands only from callers who say what they expect of the stream."""

    kind = "precondition_required"


class IdempotencyKeyReused(CaudalError):
    """This command id or idempotency key was used before, with another command."""

    kind = "key_reused"


class UnexpectedEvent(Rejected):
    """The event is not one that may come at this point of its process."""


class NotFound(CaudalError):
    """There is no such thing."""

    kind = "not_found"


class Unauthenticated(CaudalError):
    """There is no token with this, or none that can be believed."""

    kind = "unauthenticated"

    def __init__(self, detail: str = "this needs a token: Authorization: Bearer …", *, had_token: bool = True) -> None:
        super().__init__(detail)
        self.had_token = had_token


class Forbidden(CaudalError):
    """Whoever this is may not do that."""

    kind = "forbidden"


class TooManyRequests(CaudalError):
    """One caller asked more often than is let through."""

    kind = "too_many_requests"

    def __init__(self, detail: str, retry_after: int, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.headers = tuple(headers)
        """What the answer says of the limits."""


class Unavailable(CaudalError):
    """A part that is needed is out of reach for now; the same call may succeed later."""

    kind = "unavailable"

    retry_after = 1
    """Seconds after which a further try makes sense."""

    def __init__(self, public: str | None = None, inner: str = "") -> None:
        """``inner`` is for those who run it, such as what a driver said; clients are not told that."""
        self.public = public or (type(self).__doc__ or self.kind)
        super().__init__(f"{self.public}: {inner}" if inner else self.public)


class Undeliverable(CaudalError):
    """The mail server did not take the mail."""

    kind = "undeliverable"

    def __init__(self, detail: str, *, may_work_later: bool) -> None:
        super().__init__(detail)
        self.may_work_later = may_work_later


class NotYetSeen(Unavailable):
    """The view has not seen the write that the consistency token names."""

    kind = "not_yet_seen"


class ViewOutdated(Unavailable):
    """The table of a view does not have the columns that the installed code declares."""

    kind = "view_outdated"


class DeadLettersFull(Unavailable):
    """A subscription has as many dead letters as it may: it stands still until some are mended or skipped."""

    kind = "dead_letters_full"


class ConsumerStopped(CaudalError):
    """A consumer takes nothing any more though there is something to take: its process must be started again."""

    kind = "consumer_stopped"


class NotAsSigned(CaudalError):
    """The log is not what was signed: somebody has altered it."""

    kind = "not_as_signed"


class Unusable(CaudalError):
    """A snapshot that today's code cannot use: the events tell the same."""

    kind = "unusable_snapshot"


class LeaseLost(CaudalError):
    """Another process owns this log's relay now."""

    kind = "lease_lost"


class Misconfigured(CaudalError):
    """The installation does not fit together."""

    kind = "misconfigured"


class SchemaMismatch(Misconfigured):
    """A database does not have the tables or columns that this version of Caudal uses."""
