"""Translation of the driver's errors into Caudal's.

PostgreSQL's errors are distinguished by SQLSTATE. What is known to blame the values, the database's shape or the connection's
settings is named; everything else that a server can answer is an outage, after which the same statement may succeed::

    40001, 40P01                      Raced            nothing was written: decide again
    22…, 54…, 23… of a constraint     Invalid          the values
    42P01, 42703, 42704, 42883, 3F000 SchemaMismatch   `caudal migrate`
    28…, 3D000, 42501                 Misconfigured    the DSN, the rights, a connection pooler
    other 42…, 0A…, P0…               unchanged        a fault in the statement
    all others                        Unavailable      such as 08…, 25…, 26…, 53…, 55…, 57…, 58…, XX…

Of the errors without a SQLSTATE, those of the DSN itself are Misconfigured. A server without TLS, or with a certificate that is
not accepted, is an outage: it may be set right while the process runs.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from schemas.errors import CaudalError, Conflict, Invalid, Misconfigured, Raced, SchemaMismatch, Unavailable

OUT_OF_REACH = (OSError, asyncio.TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Errors without a SQLSTATE: the connection cannot be made, or has broken."""
_SCHEMA_MISMATCH = {
    "42P01",
    "42703",
    "42704",
    "42883",  # a function, or an operator: a column has another type
    "3F000",
}
_OF_THE_SERVER = ("08", "25", "53", "57P")
_READ_ONLY = "25006"
_STALE = {
    "26000",  # a prepared statement is not there
    "42P05",  # or there already
}
_POOLER = (
    "a connection pooler between Caudal and PostgreSQL does not keep the state of sessions: connect to PostgreSQL directly, "
    "a process holds at most CAUDAL_POOL_SIZE connections to a database"
)


def is_out_of_reach(error: BaseException) -> bool:
    """Returns whether an error means that the whole server cannot be used now, and not one table or statement of it."""
    cause = error.__cause__ if isinstance(error, Unavailable) else error
    if isinstance(cause, asyncpg.PostgresError):
        return (cause.sqlstate or "").startswith(_OF_THE_SERVER)
    return isinstance(error, Unavailable)


@contextmanager
def translated() -> Iterator[None]:
    """Raises the driver's errors of a block as Caudal's; an error that it does not know passes unchanged."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if (meaning := _meaning(error)) is None:
            raise
        raise meaning from error
    except asyncpg.ClientConfigurationError as error:
        raise Misconfigured(f"PostgreSQL cannot be reached with the DSN as it is: {error}") from error
    except OUT_OF_REACH as error:
        raise _unavailable(error) from error


def cause(error: BaseException | None) -> str:
    """Returns the reason of an outage as one line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not accepted ({error.verify_message}), check the host and sslrootcert of the DSN"
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return "the server does not offer TLS, which sslmode in the DSN demands"
    match error:
        case TimeoutError():
            return "it does not answer in time"
        case OSError(strerror=str(text)) if text:
            return text[0].lower() + text[1:]
        case asyncpg.PostgresError():
            return message_of(error)
        case None:
            return "no reason is known"
    return f"{type(error).__name__}: {message_of(error)}".rstrip(": ")


def message_of(error: BaseException) -> str:
    """Returns an error's message as one line without a full stop at its end.

    A server's message comes without its detail and its hint, which the driver puts on lines of their own.
    """
    text = error.args[0] if isinstance(error, asyncpg.PostgresError) and error.args else error
    return " ".join(str(text).split()).rstrip(".")


def blames_values(error: Exception) -> bool:
    """Returns whether an error inside a transaction blames the written values, not the database or its connection."""
    if isinstance(error, asyncpg.PostgresError):
        return isinstance(_meaning(error), Invalid)
    return not isinstance(error, (Unavailable, Conflict, SchemaMismatch, *OUT_OF_REACH))


def is_of_read_only(error: BaseException) -> bool:
    """Returns whether a server rejects writes: it became a replica, and every connection to it is of no use."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate == _READ_ONLY


def is_of_stale_connection(error: BaseException) -> bool:
    """Returns whether another connection to the same database may succeed: this one's state is not what it was."""
    return isinstance(error, asyncpg.PostgresError) and (
        error.sqlstate in _STALE or isinstance(error, asyncpg.InvalidCachedStatementError)
    )


def pooler(why: str) -> Misconfigured:
    """Returns the error that says that a connection pooler lies in between."""
    return Misconfigured(f"{_POOLER} ({why})")


def _meaning(error: asyncpg.PostgresError) -> CaudalError | None:
    state = error.sqlstate or ""
    if state in ("40001", "40P01"):
        # On a replica, a reader that is in the way of the primary's changes is cancelled with the same SQLSTATE.
        return _unavailable(error) if "recovery" in str(error) else Raced("the transaction lost a race", message_of(error))
    if state == "22021":
        return Invalid("a text contains the character NUL, which PostgreSQL cannot search for: remove it")
    if state[:2] in ("22", "54"):
        return Invalid(f"a value is out of PostgreSQL's range: {message_of(error)}")
    if state[:2] == "23":
        # Without a constraint, no partition of a table takes the row: the table lacks one, and the value is right.
        return (
            Invalid(f"a value violates a constraint of its table: {message_of(error)}")
            if _constraint(error)
            else _unavailable(error)
        )
    return _of_the_database(error, state)


def _of_the_database(error: asyncpg.PostgresError, state: str) -> CaudalError | None:
    if state in _SCHEMA_MISMATCH:
        return SchemaMismatch(f"the database does not match this version of Caudal, run `caudal migrate`: {message_of(error)}")
    if "unsupported startup parameter" in str(error):
        return pooler(message_of(error))
    if state == "42501":
        return Misconfigured(f"the process lacks a right in the database, run `caudal migrate`: {message_of(error)}")
    if state[:2] == "28" or state == "3D000":
        return Misconfigured(f"PostgreSQL rejects the connection, check the DSN: {message_of(error)}")
    if state[:2] in ("42", "0A", "P0") and not is_of_stale_connection(error):
        return None
    return _unavailable(error)


def _constraint(error: asyncpg.PostgresError) -> str | None:
    return getattr(error, "constraint_name", None) or getattr(error, "column_name", None)


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable("PostgreSQL is out of reach", cause(error))
