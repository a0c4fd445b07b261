"""The timers that the steps of sagas set and cancel, for the append that records the steps."""

from collections.abc import Iterable

from aggregates.deciding import Change
from schemas.engine.sagas import SagaAdvanced
from streams.log.timers import TimerChange


def timer_changes(changes: Iterable[Change]) -> tuple[TimerChange, ...]:
    """Returns the changes of timers by steps of sagas, in order."""
    return tuple(
        timer
        for change in changes
        for event in change.events
        if isinstance(event, SagaAdvanced)
        for timer in _of_step(change.loaded.name, event)
    )


def _of_step(stream: str, step: SagaAdvanced) -> Iterable[TimerChange]:
    for name in step.timers_cancelled:
        yield TimerChange(stream, name, None, step.saga, step.key)
    for name, due_at in step.timers_set.items():
        yield TimerChange(stream, name, due_at, step.saga, step.key)
