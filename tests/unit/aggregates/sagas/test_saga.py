"""The saga: its ids, and the commands that it has sent."""

import pytest

from aggregates.sagas.saga import Saga, SentCommands, saga_id
from schemas.engine.sagas import CommandData, CommandOutcome, SentCommand, Status

CANCEL = CommandData(command="cancel", data={})
DO = SentCommand(command="do", data={}, number=1, compensation=CANCEL)
COMPENSATE = SentCommand(command="cancel", data={}, number=2, compensates=1)
DONE = SentCommands().add(DO).acknowledge(CommandOutcome(number=1))


def test_a_sagas_id_depends_on_its_definition_and_its_key_alone() -> None:
    assert saga_id("shop.order", "1") == saga_id("shop.order", "1")
    assert len({saga_id("shop.order", "1"), saga_id("shop.order", "2"), saga_id("shop.trip", "1")}) == 3


def test_an_accepted_command_is_to_be_compensated_and_a_rejected_one_is_not() -> None:
    assert (DONE.in_flight, DONE.compensations) == ({}, {1: CANCEL})
    rejected = SentCommands().add(DO).acknowledge(CommandOutcome(number=1, rejection="no"))
    assert (rejected.in_flight, rejected.compensations) == ({}, {})


def test_an_accepted_compensation_leaves_nothing_to_compensate() -> None:
    assert DONE.add(COMPENSATE).acknowledge(CommandOutcome(number=2)).compensations == {}


def test_a_rejected_compensation_is_kept_until_it_is_sent_again() -> None:
    failed = DONE.add(COMPENSATE).acknowledge(CommandOutcome(number=2, rejection="closed"))
    assert (failed.failed_compensations, failed.compensations) == ({1: "closed"}, {1: CANCEL})
    again = failed.add(COMPENSATE.model_copy(update={"number": 3}))
    assert (again.failed_compensations, again.newest, set(again.in_flight)) == ({}, 3, {3})


def test_the_outcome_of_a_command_that_is_not_in_flight_changes_nothing() -> None:
    assert DONE.acknowledge(CommandOutcome(number=1, rejection="late")) is DONE


@pytest.mark.parametrize(
    ("status", "ending", "ended", "is_ending"),
    [
        ("running", None, False, False),
        ("in_review", None, False, False),
        ("compensating", "failed", False, True),
        ("completed", None, True, True),
        ("cancelled", "cancelled", True, True),
    ],
)
def test_a_saga_under_compensation_is_ending_and_has_not_ended(
    status: Status, ending: Status | None, ended: bool, is_ending: bool
) -> None:
    saga = Saga(status=status, ending=ending)
    assert (saga.has_ended, saga.is_ending) == (ended, is_ending)
