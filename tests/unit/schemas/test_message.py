"""Messages: their derived and pinned names."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.access import Access
from schemas.message import COMMAND_ID, Command, Event, words_of


class OpenAccount(Command, subject=COMMAND_ID, access=Access.to("clerk")):
    owner: str


class CloseAccount(Command, name="end-account", internal=True):
    pass


class AccountOpened(Event):
    owner: str


class AccountEnded(Event, name="AccountClosed", schema_version=3, renamed_from=("AccountShut",), retired=True):
    pass


@pytest.mark.parametrize(
    ("name", "separator", "words"),
    [
        ("ReceiveData", "-", "receive-data"),
        ("SagaLog", "_", "saga_log"),
        ("SendHTTPRequest", "-", "send-http-request"),
        ("Order2Ship", "-", "order2-ship"),
        ("Close", "-", "close"),
    ],
)
def test_a_name_is_split_into_its_words(name: str, separator: str, words: str) -> None:
    assert words_of(name, separator) == words


def test_a_command_is_named_by_its_words_unless_a_name_is_pinned() -> None:
    assert (OpenAccount.message_name, CloseAccount.message_name) == ("open-account", "end-account")


def test_an_event_is_named_like_its_class_unless_a_name_is_pinned() -> None:
    assert (AccountOpened.message_name, AccountEnded.message_name) == ("AccountOpened", "AccountClosed")


def test_what_is_declared_with_a_class_is_its_own() -> None:
    assert (OpenAccount.command_subject, OpenAccount.command_access) == (COMMAND_ID, Access.to("clerk"))
    assert (CloseAccount.internal, CloseAccount.command_subject, CloseAccount.command_access) == (True, None, None)
    assert (AccountEnded.schema_version, AccountEnded.renamed_from, AccountEnded.retired) == (3, ("AccountShut",), True)
    assert (AccountOpened.schema_version, AccountOpened.renamed_from, AccountOpened.retired) == (1, (), False)


def test_a_message_cannot_change_and_has_no_unknown_fields() -> None:
    event = AccountOpened(owner="ana")

    with pytest.raises(ValidationError, match="frozen"):
        event.owner = "eva"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        AccountOpened.model_validate({"owner": "ana", "age": 7})


class Measure(Command):
    """A command with values that pydantic reads from texts."""

    count: int = 0
    weight: float = 0
    at: datetime | None = None
    notes: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("field", "value", "loc"),
    [
        ("count", "9" * 20, ("count",)),
        ("count", "-9223372036854775809", ("count",)),
        ("weight", "inf", ("weight",)),
        ("weight", "nan", ("weight",)),
        ("at", "2026-01-01T00:00:00", ("at",)),
        ("at", "0001-01-01T00:00:00+14:00", ("at",)),
        ("notes", {"a": [2**64]}, ("notes", "a", 0)),
    ],
)
def test_a_command_with_a_value_that_cannot_be_stored_is_not_valid(field: str, value: Any, loc: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError) as raised:
        Measure.model_validate({field: value})
    assert [error["loc"] for error in raised.value.errors()] == [loc]


def test_numeric_texts_within_the_bounds_are_numbers() -> None:
    assert Measure.model_validate({"count": "9223372036854775807", "weight": "1e308"}) == Measure(count=2**63 - 1, weight=1e308)
