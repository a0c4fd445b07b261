"""Recording: what the steps of a saga do to its timers."""

from datetime import timedelta

from aggregates.deciding import Change, LoadedStream
from aggregates.sagas.saga import SAGA, Saga
from aggregates.scenario import FIRST_ID, MIDNIGHT
from command_api.handling.saga_timers import timer_changes
from schemas.clinical_lab.users import UserLoggedIn
from schemas.engine.sagas import SagaAdvanced, SagaInput
from streams.log.timers import TimerChange

INPUT = SagaInput(kind="event", id=FIRST_ID, name="Asked", at=MIDNIGHT)
DUE = MIDNIGHT + timedelta(days=1)
STEP = SagaAdvanced(saga="shop.order", key="k", input=INPUT, step_status="handled", status="running")


def test_timers_are_cancelled_and_set_in_the_order_of_the_steps() -> None:
    first = STEP.model_copy(update={"timers_set": {"late": DUE}})
    second = STEP.model_copy(update={"timers_cancelled": ("late",), "timers_set": {"later": DUE}})
    change = Change(LoadedStream(SAGA, "1", 0, Saga()), (first, second), Saga())

    assert timer_changes([change]) == (
        TimerChange("saga-1", "late", DUE, "shop.order", "k"),
        TimerChange("saga-1", "late", None, "shop.order", "k"),
        TimerChange("saga-1", "later", DUE, "shop.order", "k"),
    )


def test_other_events_and_steps_without_timers_change_none() -> None:
    change = Change(LoadedStream(SAGA, "1", 0, Saga()), (STEP, UserLoggedIn(user_id=FIRST_ID)), Saga())

    assert timer_changes([change]) == ()
