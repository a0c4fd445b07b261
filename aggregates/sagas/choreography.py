"""Choreography: a saga without an orchestrator, which checks the order of events against a table of successors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from aggregates.sagas.definition import Reaction, SagaDefinition, Transition
from aggregates.state import State
from schemas.engine.sagas import SagaInput
from schemas.message import Event
from schemas.values.tuples import check_not_text

Ending = Literal["completed", "failed", "in_review"]


class Choreography(State):
    """The state of a choreography: the ids of what it is about, by name."""

    references: dict[str, str] = {}


def choreography(
    name: str,
    successors: Mapping[type[Event], Sequence[type[Event]]],
    *,
    key: Callable[[Any], str | None],
    starts: Sequence[type[Event]],
    outcomes: Mapping[type[Event], Ending],
    references: Sequence[str] = (),
) -> SagaDefinition[Choreography]:
    """Returns a saga definition for services that react to each other's events.

    It sends nothing: it compares events with ``successors``, and reports those that are not allowed. ``key`` says which saga an
    event belongs to, ``outcomes`` the status that a saga gets with an event (others leave it running), ``references`` the
    events' fields that hold ids of what the saga is about.
    """
    check_not_text(f"the saga {name!r}", "references", references)

    def react(state: Choreography, event: Event, input: SagaInput) -> Transition[Choreography]:
        found = {field: str(getattr(event, field)) for field in references if getattr(event, field, None) is not None}
        return Transition(Choreography(references={**state.references, **found}), status=outcomes.get(type(event), "running"))

    return SagaDefinition(
        name,
        Choreography,
        {event: Reaction(key, react, starts=event in starts, then=tuple(followers)) for event, followers in successors.items()},
        references=lambda state: state.references,
        ends=False,
    )
