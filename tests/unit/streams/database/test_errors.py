"""Errors of the driver become Caudal's, by their SQLSTATE."""

import asyncpg
import pytest

from schemas.errors import CaudalError, Conflict, Invalid, Misconfigured, Raced, SchemaMismatch, Unavailable
from streams.database.errors import blames_values, cause, is_of_read_only, is_of_stale_connection, translated


def of(state: str, message: str = "x", **fields: str) -> asyncpg.PostgresError:
    """An error as the driver makes it of a server's answer."""
    return asyncpg.PostgresError.new({"C": state, "M": message, **fields})


CONSTRAINT, COLUMN = {"n": "some_check"}, {"c": "some_column"}


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (of("40001"), Raced),
        (of("40P01"), Raced),
        (of("40001", "canceling statement due to conflict with recovery"), Unavailable),
        (of("21000"), Unavailable),
        (of("22021"), Invalid),
        (of("22003"), Invalid),
        (of("54000"), Invalid),
        (of("23505", **CONSTRAINT), Invalid),
        (of("23502", **COLUMN), Invalid),
        (of("23514", **CONSTRAINT), Invalid),
        (of("23514", 'no partition of relation "receipts" found for row'), Unavailable),
        (of("42P01"), SchemaMismatch),
        (of("42703"), SchemaMismatch),
        (of("42883"), SchemaMismatch),
        (of("28P01"), Misconfigured),
        (of("3D000"), Misconfigured),
        (of("42501"), Misconfigured),
        (of("08P01", "unsupported startup parameter: role"), Misconfigured),
        (ConnectionRefusedError("x"), Unavailable),
        (TimeoutError(), Unavailable),
        (asyncpg.InterfaceError("connection is closed"), Unavailable),
    ],
)
def test_an_error_of_the_driver_becomes_one_of_caudal(raised: Exception, expected: type[CaudalError]) -> None:
    with pytest.raises(CaudalError) as caught, translated():
        raise raised

    assert type(caught.value) is expected
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize(
    "state",
    [
        *("08000", "08006", "08P01", "25006", "25P03", "25P04", "26000", "40003", "42P05", "53000", "53100", "53200", "53300"),
        *("53400", "55000", "55006", "55P03", "57014", "57P01", "57P02", "57P03", "57P04", "57P05", "58030", "XX000", "XX001"),
    ],
)
def test_what_may_succeed_later_is_an_outage(state: str) -> None:
    with pytest.raises(Unavailable) as caught, translated():
        raise of(state)

    assert caught.value.public == "PostgreSQL is out of reach"
    assert not blames_values(of(state))


@pytest.mark.parametrize("state", ["42601", "42804", "P0001", "0A000"])
def test_a_fault_in_a_statement_passes_unchanged(state: str) -> None:
    raised = of(state)

    with pytest.raises(asyncpg.PostgresError) as caught, translated():
        raise raised
    assert caught.value is raised


def test_an_error_that_is_not_the_drivers_passes_unchanged() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("x")


def test_a_plan_that_is_out_of_date_is_an_outage_of_its_connection() -> None:
    error = of("0A000", "cached plan must not change result type", F="plancache.c", L="1", R="RevalidateCachedQuery")

    assert isinstance(error, asyncpg.InvalidCachedStatementError)
    with pytest.raises(Unavailable), translated():
        raise error
    assert is_of_stale_connection(error)


def test_only_a_server_that_became_a_replica_is_read_only() -> None:
    assert is_of_read_only(of("25006"))
    assert not is_of_read_only(of("57P01"))
    assert not is_of_read_only(ConnectionResetError())


@pytest.mark.parametrize(("state", "is_stale"), [("26000", True), ("42P05", True), ("57014", False), ("23505", False)])
def test_another_connection_may_succeed_where_a_stale_one_fails(state: str, is_stale: bool) -> None:
    assert is_of_stale_connection(of(state)) is is_stale


def test_clients_do_not_see_the_address_of_a_database() -> None:
    with pytest.raises(Unavailable) as caught, translated():
        raise ConnectionRefusedError("Connect call failed ('10.0.3.7', 5432)")

    assert (caught.value.public, "10.0.3.7" in caught.value.detail) == ("PostgreSQL is out of reach", True)


@pytest.mark.parametrize(
    ("error", "blames"),
    [
        (of("22003"), True),
        (of("23502", **COLUMN), True),
        (of("54000"), True),
        (ValueError("a fold failed"), True),
        (of("42P01"), False),
        (of("40P01"), False),
        (SchemaMismatch("x"), False),
        (Unavailable(), False),
        (Conflict(), False),
        (ConnectionResetError("x"), False),
    ],
)
def test_only_errors_about_values_blame_the_values(error: Exception, blames: bool) -> None:
    assert blames_values(error) is blames


DETAIL = {"D": "Consistent recovery state has not been yet reached.", "H": "Wait."}


def test_the_reason_of_an_outage_is_one_line_without_detail_hint_and_full_stop() -> None:
    error = of("57P03", "the database system is not yet accepting connections", **DETAIL)

    assert cause(error) == "the database system is not yet accepting connections"
    assert cause(OSError("first line\nsecond line.")) == "OSError: first line second line"


def test_the_reason_of_an_outage_is_in_words_where_the_error_has_none() -> None:
    assert cause(TimeoutError()) == "it does not answer in time"
    assert cause(ConnectionRefusedError(111, "Connection refused")) == "connection refused"


@pytest.mark.parametrize("state", ["57P03", "40001", "22003", "42P01", "42501", "28P01", "23505"])
def test_a_translated_error_has_one_line(state: str) -> None:
    with pytest.raises(CaudalError) as raised, translated():
        raise of(state, "x", **DETAIL, **CONSTRAINT)

    assert "\n" not in raised.value.detail
    assert "recovery state" not in raised.value.detail
