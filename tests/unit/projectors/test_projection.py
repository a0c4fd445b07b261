"""Declarations of projections: the key by default and by a function, and the errors of those that cannot work."""

from typing import Any, Literal
from uuid import UUID, uuid4

import pytest

from aggregates.scenario import recorded
from projectors.projection import Projection
from schemas.errors import Misconfigured
from schemas.message import Event
from schemas.system import ContextName
from schemas.view import View


class Opened(Event, name="Opened"):
    account_id: UUID
    owner: str


class Renamed(Event, name="Renamed"):
    account_id: UUID | None = None


class Closed(Event, name="Closed"):
    account_id: str


class Audited(Event, name="Audited"):
    kind: Literal["yearly", "random"]


class Accounts(View, name="accounts", context="accounts", key="account_id"):
    account_id: UUID
    owner: str | None = None


class Audits(View, name="audits", context="accounts", key="kind"):
    kind: str
    count: int = 0


def account(row: Accounts, event: Any) -> Accounts:
    return row.replace(owner=event.data.owner)


def audit(row: Audits, event: Any) -> Audits:
    return row.replace(count=row.count + 1)


def test_the_key_is_the_events_field_of_the_views_key() -> None:
    projection, event = Projection(Accounts, account, events=(Opened,)), Opened(account_id=uuid4(), owner="Ada")

    assert projection.key_of(recorded(event)) == event.account_id
    row = projection.new_row(event.account_id)
    assert row == Accounts(account_id=event.account_id)
    assert projection.apply(row, recorded(event)) == Accounts(account_id=event.account_id, owner="Ada")


def test_the_key_may_be_a_function_of_the_recorded_event() -> None:
    projection = Projection(Audits, audit, events=(Opened,), key=lambda event: event.stream)

    assert projection.key_of(recorded(Opened(account_id=uuid4(), owner="Ada"))) == "scenario-1"


def test_a_literal_is_a_text() -> None:
    assert Projection(Audits, audit, events=(Audited,)).key_of(recorded(Audited(kind="random"))) == "random"


def test_it_has_the_name_and_the_home_of_its_system() -> None:
    projection = Projection(Accounts, account, events=(Opened,)).of("bank")

    assert (projection.full_name, projection.home) == ("bank.accounts", ContextName("bank", "accounts"))
    assert projection.table().name == "accounts"
    assert projection.table("accounts_2").name == "accounts_2"


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ((), "not a tuple of events: is a comma missing"),
        (Opened, "not a tuple of events: is a comma missing"),
        ((Opened, Opened), "lists Opened twice"),
        ((Opened, Accounts), "not an event class"),
        ((Audited,), "Audited has no field account_id, which is the key of Accounts: pass key="),
        ((Closed,), "Closed.account_id is a str, the key of Accounts is a UUID: pass key="),
        ((Renamed,), "the key of Accounts is a UUID: pass key="),
    ],
)
def test_a_declaration_that_cannot_work_fails(events: Any, message: str) -> None:
    with pytest.raises(Misconfigured, match=message):
        Projection(Accounts, account, events=events)


def test_a_key_that_is_not_a_function_fails() -> None:
    with pytest.raises(Misconfigured, match="not a function"):
        Projection(Accounts, account, events=(Opened,), key="account_id")  # type: ignore[arg-type]


def test_a_key_of_another_type_fails_when_it_is_used() -> None:
    with pytest.raises(Misconfigured, match="return a value of the type of account_id"):
        Projection(Accounts, account, events=(Opened,)).new_row(str(uuid4()))


def test_a_field_that_the_view_does_not_have_is_named() -> None:
    with pytest.raises(Misconfigured, match="Accounts has no field ownr"):
        Accounts(account_id=uuid4()).replace(ownr="Ada")
