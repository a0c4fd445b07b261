"""Translation of the driver's errors into Caudal's."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from schemas.errors import Conflict, Invalid, Misconfigured, SchemaMismatch, Unavailable

OUT_OF_REACH = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    asyncpg.InternalClientError,
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
)
"""Errors after which the same statement may succeed later: they become `Unavailable`."""

SCHEMA_MISMATCH = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,  # an operator as well: a column has another type
    asyncpg.InvalidSchemaNameError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raises the driver's errors of a block as Caudal's; an error that it does not know passes unchanged."""
    try:
        yield
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
        raise Conflict(str(error)) from error
    except asyncpg.CharacterNotInRepertoireError as error:
        raise Invalid("a text contains the character NUL, which PostgreSQL cannot search for: remove it") from error
    except asyncpg.DataError as error:
        raise Invalid(f"a value is out of PostgreSQL's range: {error}") from error
    except asyncpg.IntegrityConstraintViolationError as error:
        raise Invalid(f"a value violates a constraint of its table: {error}") from error
    except SCHEMA_MISMATCH as error:
        raise SchemaMismatch(f"the database does not match this version of Caudal, run `caudal migrate`: {error}") from error
    except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise Misconfigured(f"PostgreSQL rejects the connection, check the DSN: {error}") from error
    except OUT_OF_REACH as error:
        raise Unavailable("PostgreSQL is out of reach", f"{type(error).__name__}: {error}".rstrip(": ")) from error


def blames_values(error: Exception) -> bool:
    """Returns whether an error inside a transaction blames the written values, not the database or its connection."""
    if isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError | asyncpg.ProgramLimitExceededError):
        return True
    return not isinstance(error, (asyncpg.PostgresError, Unavailable, Conflict, *OUT_OF_REACH))
