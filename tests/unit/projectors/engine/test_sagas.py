"""The views of sagas: what each step changes in the saga's row and in the row of its input."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from aggregates.scenario import MIDNIGHT
from projectors.engine.sagas import PROJECTIONS
from schemas.engine.sagas import CommandOutcome, SagaAdvanced, SagaInput, SentCommand
from tests.unit.projectors.applied import applied

SAGAS, LOGS = PROJECTIONS
ONE, TWO = UUID(int=1), UUID(int=2)


def step(id: UUID = ONE, **changes: Any) -> SagaAdvanced:
    input = SagaInput(kind="event", id=id, name="Requested", at=MIDNIGHT, data={"a": 1})
    fields: dict[str, Any] = {"saga": "shop.order", "key": "7", "input": input, "step_status": "handled", "status": "running"}
    return SagaAdvanced(**{**fields, **changes})


def sent(number: int, compensates: int | None = None) -> SentCommand:
    return SentCommand(command="pay", data={}, number=number, compensates=compensates)


def test_a_saga_is_shown_from_its_first_step_on() -> None:
    row = applied(SAGAS, step(state={"paid": False}, references={"partner": "p-1"}), step(TWO, references={"contract": "c-1"}))

    assert (row.saga, row.key, row.steps, row.status, row.state) == ("shop.order", "7", 2, "running", None)
    assert row.references == {"partner": "p-1", "contract": "c-1"}
    assert row.reference_ids == ("c-1", "p-1")
    assert (row.started_at, row.updated_at, row.ended_at) == (MIDNIGHT, MIDNIGHT, None)


def test_the_reference_ids_do_not_depend_on_the_order_in_which_postgresql_keeps_json() -> None:
    first = applied(SAGAS, step(references={"contract_id": "c-1", "partner": "p-1"}))
    kept = first.replace(references={"partner": "p-1", "contract_id": "c-1"})  # jsonb sorts shorter names first

    assert [applied(SAGAS, step(TWO), row=row).reference_ids for row in (first, kept)] == [("c-1", "p-1")] * 2


def test_an_ended_saga_has_the_time_of_its_end() -> None:
    assert applied(SAGAS, step(), step(TWO, status="completed")).ended_at == MIDNIGHT


def test_a_command_is_in_flight_until_it_has_an_outcome() -> None:
    assert applied(SAGAS, step(sent=(sent(1),))).in_flight == {
        "1": {"name": "pay", "compensates": None, "sent_at": MIDNIGHT.isoformat()}
    }
    assert applied(SAGAS, step(sent=(sent(1),)), step(TWO, outcome=CommandOutcome(number=1))).in_flight == {}


def test_a_rejected_compensation_is_shown_until_it_is_sent_again() -> None:
    steps = step(sent=(sent(1),)), step(TWO, sent=(sent(2, 1),)), step(outcome=CommandOutcome(number=2, rejection="no"))

    assert applied(SAGAS, *steps).failed_compensations == {"1": {"name": "pay", "problem": "no"}}
    assert applied(SAGAS, *steps, step(TWO, sent=(sent(3, 1),))).failed_compensations == {}


def test_a_deferred_input_is_shown_until_it_is_handled_or_dropped() -> None:
    deferred = step(deferred=True, step_status="received", problem="too early")

    assert applied(SAGAS, deferred).deferred == {str(ONE): {"name": "Requested", "problem": "too early", "status": "received"}}
    assert applied(SAGAS, deferred, step()).deferred == {}
    assert applied(SAGAS, deferred, step(TWO, dropped=(ONE,))).deferred == {}


def test_timers_are_shown_until_they_are_cancelled() -> None:
    due = MIDNIGHT + timedelta(days=1)

    assert applied(SAGAS, step(timers_set={"reminder": due})).timers == {"reminder": due.isoformat()}
    assert applied(SAGAS, step(timers_set={"reminder": due}), step(TWO, timers_cancelled=("reminder",))).timers == {}


def test_each_input_has_a_row_with_what_followed_from_it() -> None:
    row = applied(LOGS, step(sent=(sent(1),), references={"partner": "p-1"}))

    assert (row.entry_id, row.saga_id) == (f"scenario-1/{ONE}", "scenario-1")
    assert (row.kind, row.event_type, row.payload, row.step_status) == ("event", "Requested", {"a": 1}, "handled")
    assert row.sent == [{"command": "pay", "number": 1, "compensates": None}]
    assert (row.received_at, row.handled_at, row.reference_ids) == (MIDNIGHT, MIDNIGHT, ("p-1",))


def test_an_input_that_is_handled_later_keeps_the_time_of_its_arrival() -> None:
    row = applied(LOGS, step(step_status="received", deferred=True), step())

    assert (row.step, row.received_at, row.handled_at, row.step_status) == (1, MIDNIGHT, MIDNIGHT, "handled")
