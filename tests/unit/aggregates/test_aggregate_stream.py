"""Aggregates of the package `eventsourcing` as states: their events are published by name, and make the same again."""

from uuid import UUID

import pytest
from eventsourcing.domain import Aggregate, event

from aggregates.aggregate_stream import AggregateState, AggregateStream
from aggregates.decision import Decision, Events
from aggregates.scenario import FIRST_ID, Scenario
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured, Rejected
from schemas.message import Command, Event


class Open(Command):
    owner: str


class Credit(Command):
    account_id: UUID
    amount: int


class Opened(Event):
    account_id: UUID
    owner: str


class Credited(Event):
    account_id: UUID
    amount: int


class Account(Aggregate):
    def __init__(self, id: UUID, owner: str) -> None:
        self.owner, self.credits = owner, list[int]()
        self._count = 0

    def credit(self, amount: int) -> None:
        if amount <= 0:
            raise Rejected("there is nothing to credit")
        self.add(amount)

    @event("Added")
    def add(self, amount: int) -> None:
        self.credits.append(amount)
        self._count += 1


ACCOUNT = AggregateStream("account", Account, {Opened: "Created", Credited: "Added"}, id_field="account_id")


def open_account(command: CommandEnvelope[Open]) -> Events:
    return ACCOUNT.recorded(Account(command.id, command.data.owner))


def credit(command: CommandEnvelope[Credit], state: AggregateState) -> Events:
    account = ACCOUNT.aggregate(state)
    account.credit(command.data.amount)
    return ACCOUNT.recorded(account)


DECISIONS = (Decision(Open, ACCOUNT.create(), open_account), Decision(Credit, ACCOUNT.change("account_id"), credit))
OPENED = Opened(account_id=FIRST_ID, owner="Ada")
STREAM = f"account-{FIRST_ID}"


def credited(amount: int) -> Credited:
    return Credited(account_id=FIRST_ID, amount=amount)


def test_its_events_are_published_by_name() -> None:
    Scenario(DECISIONS).when(Open(owner="Ada")).then(OPENED)
    Scenario(DECISIONS).given(STREAM, OPENED, credited(1)).when(Credit(account_id=FIRST_ID, amount=2)).then(credited(2))


def test_a_rule_of_the_aggregate_rejects() -> None:
    Scenario(DECISIONS).given(STREAM, OPENED).when(Credit(account_id=FIRST_ID, amount=0)).then_rejected(
        containing="nothing to credit"
    )


def test_published_events_make_the_same_aggregate_and_no_state_changes_afterwards() -> None:
    once = ACCOUNT.fold(ACCOUNT.initial, [OPENED, credited(1)])
    twice = ACCOUNT.evolve(once, credited(2))
    changed = ACCOUNT.aggregate(once)
    changed.credit(9)

    assert (once.attributes["credits"], twice.attributes["credits"], changed.credits) == ([1], [1, 2], [1, 9])
    assert (once.version, twice.version, ACCOUNT.aggregate(twice).version) == (2, 3, 3)
    assert ACCOUNT.aggregate(twice).id == FIRST_ID
    assert once.model_dump(mode="json") == {
        "attributes": {"_id": str(FIRST_ID), "owner": "Ada", "credits": [1], "_count": 1},
        "version": 2,
    }


class Renamed(Event):
    account_id: UUID
    amount: int
    currency: str


@pytest.mark.parametrize(
    ("published", "name", "why"),
    [
        (Credited, "Debited", "the aggregate Account has no event Debited, which Credited names"),
        (Renamed, "Added", "Renamed has the fields amount, currency, the event Added of Account has amount"),
    ],
)
def test_a_declaration_that_does_not_match_the_aggregate_is_misconfigured(published: type[Event], name: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        AggregateStream("account", Account, {published: name}, id_field="account_id")


def test_an_event_without_a_published_one_is_misconfigured() -> None:
    partial = AggregateStream("account", Account, {Opened: "Created"}, id_field="account_id")
    account = partial.aggregate(partial.evolve(partial.initial, OPENED))
    account.credit(1)

    with pytest.raises(Misconfigured, match="no event is published for Added of Account"):
        list(partial.recorded(account))
    assert partial.evolve(partial.initial, credited(1)) == partial.initial
