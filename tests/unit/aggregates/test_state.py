"""States: immutable, with defaults, read from snapshots and from earlier versions."""

import json
from datetime import UTC, datetime

import pytest

from aggregates.state import State, state_schema_of
from schemas.errors import Misconfigured, Unusable


class Account(State, snapshot_every=10, schema_version=2, upcasts={1: lambda old: {"cents": old["euros"] * 100}}):
    cents: int = 0


def test_a_change_makes_another_state() -> None:
    before = Account(cents=1)

    assert (before.replace(cents=2), before) == (Account(cents=2), Account(cents=1))
    with pytest.raises(ValueError, match="frozen"):
        before.cents = 3  # type: ignore[misc]


def test_a_snapshot_of_another_shape_or_version_is_not_used() -> None:
    assert Account.from_snapshot(state_schema_of(Account), '{"cents": 5}') == Account(cents=5)
    for schema, text in (("1-0000", '{"cents": 5}'), (state_schema_of(Account), '{"cents": "many"}')):
        with pytest.raises(Unusable):
            Account.from_snapshot(schema, text)


def test_an_earlier_version_is_upcast() -> None:
    assert Account.read(1, {"euros": 3}) == Account(cents=300)
    assert Account.read(2, {"cents": 3}) == Account(cents=3)
    with pytest.raises(Unusable, match="cannot read a state of its version 1"):
        Account.read(1, {"pounds": 3})


def test_a_state_that_cannot_work_is_noticed_where_it_is_declared() -> None:
    with pytest.raises(Misconfigured, match="Needy has no default for name"):

        class Needy(State):
            name: str

    with pytest.raises(Misconfigured, match="upcasts a version that is not before it"):

        class Odd(State, upcasts={1: dict}):
            name: str = ""


class Alarm(State):
    """A state with a time."""

    at: datetime | None = None


def test_a_stored_time_without_its_offset_is_read_as_utc() -> None:
    stored, read = {"at": "2026-01-01T12:00:00"}, Alarm(at=datetime(2026, 1, 1, 12, tzinfo=UTC))

    assert Alarm.read(1, stored) == read
    assert Alarm.from_snapshot(state_schema_of(Alarm), json.dumps(stored)) == read
