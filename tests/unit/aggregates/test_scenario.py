"""The scenario: what it asserts holds, and what does not hold fails."""

import pytest

from aggregates.engine.privacy import DECISIONS
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario, recorded
from schemas.engine.privacy import RecordErasure, SubjectErased
from schemas.errors import AlreadyExists

ERASED = SubjectErased(subject="ana")
COMMAND = RecordErasure(subject="ana")


def test_events_that_were_not_recorded_fail_the_assertion() -> None:
    scenario = Scenario(DECISIONS).when(COMMAND)
    with pytest.raises(AssertionError, match="recorded "):
        scenario.then()
    with pytest.raises(AssertionError, match="recorded "):
        scenario.then(ERASED, ERASED)


def test_a_command_that_was_accepted_is_not_rejected() -> None:
    with pytest.raises(AssertionError, match="not rejected with AlreadyExists"):
        Scenario(DECISIONS).when(COMMAND).then_rejected(AlreadyExists)


def test_what_is_given_and_what_was_recorded_precede_the_next_command() -> None:
    assert Scenario(DECISIONS).given("subject-ana", ERASED).when(COMMAND).recorded == ()
    assert Scenario(DECISIONS).when(COMMAND).when(COMMAND).streams == ()


def test_an_event_is_recorded_as_a_log_would_hold_it() -> None:
    stored = recorded(ERASED, position=3)
    assert (stored.data, stored.id, stored.position, stored.recorded_at) == (ERASED, FIRST_ID, 3, MIDNIGHT)
