"""Declarations of several things: one thing in their place is rejected. A text would be read letter by letter."""

import re
from collections.abc import Callable

import pytest

from aggregates.decision import Decision, Events
from aggregates.sagas.choreography import choreography
from aggregates.sagas.definition import Reaction, SagaDefinition, Transition
from aggregates.state import NoState
from aggregates.stream import Stream
from aggregates.system import Domain
from schemas.access import Access, RowAccess
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured
from schemas.message import Command, Event
from schemas.view import View

ACCOUNT, RULES = Stream("account"), Stream("rules", only="all")


class Opened(Event):
    account: str


class Open(Command):
    account: str


def opens(command: CommandEnvelope[Open], account: NoState, rules: NoState) -> Events:
    yield Opened(account=command.data.account)


REACTION: Reaction[Opened] = Reaction("account", lambda state, event, input: Transition(state), starts=True)
DECISION = Decision(Open, ACCOUNT.change("account"), opens, reads=(RULES.at(),))

FAULTS: list[tuple[Callable[[], object], str]] = [
    (lambda: type("Accounts", (View,), {}, context="bank", key="account", indexes="owner"), "as in ('owner',)?"),
    (lambda: type("Accounts", (View,), {}, context="bank", key="account", indexes=["owner"]), "as in (…,)?"),
    (lambda: type("Closed", (Event,), {}, renamed_from="Ended"), "the renamed_from of Closed must be a tuple; is a comma"),
    (lambda: RowAccess("owner"), "the owners of a RowAccess must be a tuple; is a comma missing, as in ('owner',)?"),  # type: ignore[arg-type]
    (lambda: RowAccess(("owner",), "auditor"), "the all_rows of a RowAccess must be a collection of texts"),  # type: ignore[arg-type]
    (lambda: Access("clerk"), "the roles of an Access must be a collection of texts, not the text 'clerk'"),  # type: ignore[arg-type]
    (lambda: Access.to("clerk", scopes="read"), "the scopes of an Access must be a collection of texts, not the text 'read'"),
    (lambda: Domain(DECISION), "the decisions of a Domain must be a tuple; is a comma missing, as in (Decision(…),)?"),  # type: ignore[arg-type]
    (
        lambda: Decision(Open, ACCOUNT.change("account"), opens, reads=RULES.at()),  # type: ignore[arg-type]
        "the reads of the decision on Open must be a tuple; is a comma missing, as in (StreamUse(…),)?",
    ),
    (lambda: Transition(NoState(), cancel_timers="late"), "the cancel_timers of a Transition must be a collection"),
    (lambda: SagaDefinition("term", NoState, {Opened: REACTION}, references="id"), "the references of the saga 'term' must be"),
    (
        lambda: choreography("term", {}, key=str, starts=(Opened,), outcomes={}, references="account"),
        "the references of the saga 'term' must be a collection of texts",
    ),
]


@pytest.mark.parametrize(("declare", "why"), FAULTS)
def test_one_thing_in_the_place_of_several_is_rejected_with_what_to_write(declare: Callable[[], object], why: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(why)):
        declare()
