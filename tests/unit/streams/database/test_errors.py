"""Errors of the driver become Caudal's."""

import asyncpg
import pytest

from schemas.errors import CaudalError, Conflict, Invalid, Misconfigured, Unavailable
from streams.database.errors import blames_values, translated


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (asyncpg.SerializationError("x"), Conflict),
        (asyncpg.DeadlockDetectedError("x"), Conflict),
        (asyncpg.CharacterNotInRepertoireError("x"), Invalid),
        (asyncpg.NumericValueOutOfRangeError("x"), Invalid),
        (asyncpg.UniqueViolationError("x"), Invalid),
        (asyncpg.UndefinedTableError("x"), Misconfigured),
        (asyncpg.InvalidPasswordError("x"), Misconfigured),
        (asyncpg.InvalidCatalogNameError("x"), Misconfigured),
        (ConnectionRefusedError("x"), Unavailable),
        (TimeoutError(), Unavailable),
        (asyncpg.AdminShutdownError("x"), Unavailable),
        (asyncpg.DiskFullError("x"), Unavailable),
    ],
)
def test_an_error_of_the_driver_becomes_one_of_caudal(raised: Exception, expected: type[CaudalError]) -> None:
    with pytest.raises(expected) as caught, translated():
        raise raised

    assert caught.value.__cause__ is raised


def test_an_error_that_is_not_known_passes_unchanged() -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError), translated():
        raise asyncpg.InsufficientPrivilegeError("x")
    with pytest.raises(KeyError), translated():
        raise KeyError("x")


def test_clients_do_not_see_the_address_of_a_database() -> None:
    with pytest.raises(Unavailable) as caught, translated():
        raise ConnectionRefusedError("Connect call failed ('10.0.3.7', 5432)")

    assert (caught.value.public, "10.0.3.7" in caught.value.detail) == ("PostgreSQL is out of reach", True)


@pytest.mark.parametrize(
    ("error", "blames"),
    [
        (asyncpg.NumericValueOutOfRangeError("x"), True),
        (asyncpg.NotNullViolationError("x"), True),
        (asyncpg.ProgramLimitExceededError("x"), True),
        (ValueError("a fold failed"), True),
        (asyncpg.UndefinedTableError("x"), False),
        (asyncpg.DeadlockDetectedError("x"), False),
        (Unavailable(), False),
        (Conflict(), False),
        (ConnectionResetError("x"), False),
    ],
)
def test_only_errors_about_values_blame_the_values(error: Exception, blames: bool) -> None:
    assert blames_values(error) is blames
