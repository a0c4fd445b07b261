"""Decisions: the streams that they use, and functions that do not fit them."""

import pytest

from aggregates.decision import Decision, Events
from aggregates.state import NoState
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured
from schemas.message import Command


class Pay(Command):
    account: str
    order: str


ACCOUNT, ORDER, RULES = Stream("account"), Stream("order"), Stream("rules", only="all")


def pay(command: CommandEnvelope[Pay], account: NoState, order: NoState, rules: NoState) -> Events:
    return ()


def test_the_target_comes_before_what_is_written_and_that_before_what_is_read() -> None:
    account, order, rules = ACCOUNT.change("account"), ORDER.change("order"), RULES.at()
    decision = Decision(Pay, account, pay, reads=(rules,), writes=(order,))

    assert decision.uses == (account, order, rules)
    assert decision.streams == (ACCOUNT, ORDER, RULES)


def test_a_function_that_takes_other_states_is_noticed_with_those_that_it_gets() -> None:
    gets = r"calls pay\(command, the state of account, the state of order\), but it takes command, account, order, rules"
    with pytest.raises(Misconfigured, match=gets):
        Decision(Pay, ACCOUNT.change("account"), pay, writes=(ORDER.change("order"),))


def test_a_key_that_is_no_field_is_noticed_in_every_stream() -> None:
    with pytest.raises(Misconfigured, match="finds the stream 'order' by 'ordr', which is no field of it"):
        Decision(Pay, ACCOUNT.change("account"), pay, writes=(ORDER.change("ordr"),), reads=(RULES.at(),))
