"""One saga with its steps, as its log holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.console.printing import table
from deploy.operations.installation import OpenInstallation
from deploy.operations.reading import Reading
from deploy.operations.sagas.reading import OneSaga, SagaContent, may_wait_indefinitely, saga_row, saga_steps
from deploy.operations.sagas.stuck import shown, status_of, why_stuck
from schemas.engine.sagas import SagaAdvanced
from schemas.envelope import RecordedEvent


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a saga."""

    at: datetime
    kind: str
    """``event``, ``outcome`` (of a command), ``timer``, ``retry`` or ``cancel``."""
    name: str
    """The event, the command or the timer."""
    outcome: str
    """``accepted`` or ``rejected`` of a command; else what the saga did with the input."""
    problem: str | None
    """Why the command was rejected, or why the saga could not react."""
    status: str
    """The saga's status after the step, or ``waiting``."""
    sent: Sequence[str]
    """Commands that the step sent; those that compensate another name it."""


@dataclass(frozen=True, slots=True)
class ShownSaga:
    """One saga with its steps."""

    row: SagaContent
    status: str
    """That of the row, or ``waiting``."""
    stuck: str | None
    """Why it is stuck, if it is."""
    timeline: Sequence[Step]


async def show_saga(installation: OpenInstallation, wanted: OneSaga) -> ShownSaga:
    """Shows one saga: its status, its state, and each of its steps. Raises `NotFound`."""
    saga = await saga_row(installation, wanted.saga_id)
    recorded = await saga_steps(installation, saga["saga_id"])
    may_wait = saga["saga"] in may_wait_indefinitely(installation.catalog)
    return ShownSaga(
        saga,
        status_of(saga["status"], saga["in_flight"], may_wait=may_wait),
        why_stuck(saga, datetime.now(UTC), may_wait=may_wait),
        steps_of(recorded, may_wait=may_wait),
    )


def steps_of(recorded: Sequence[RecordedEvent[SagaAdvanced]], *, may_wait: bool) -> list[Step]:
    """Returns the steps of a saga as people read them. ``may_wait``: whether it may wait for events indefinitely."""
    commands: dict[int, str] = {}
    in_flight: set[int] = set()
    steps = []
    for one in recorded:
        step = one.data
        commands |= {sent.number: sent.command for sent in step.sent}
        in_flight |= {sent.number for sent in step.sent}
        if step.outcome is not None:
            in_flight.discard(step.outcome.number)
        rejection = step.outcome.rejection if step.outcome is not None else None
        steps.append(
            Step(
                at=one.recorded_at,
                kind=step.input.kind,
                name=step.input.name,
                outcome=_outcome(step),
                problem=step.problem or rejection,
                status=status_of(step.status, in_flight, may_wait=may_wait),
                sent=[
                    sent.command
                    if sent.compensates is None
                    else f"{sent.command}, compensates {commands.get(sent.compensates, '?')}"
                    for sent in step.sent
                ],
            )
        )
    return steps


def _outcome(step: SagaAdvanced) -> str:
    if step.outcome is not None:
        return "accepted" if step.outcome.rejection is None else "rejected"
    return "deferred" if step.deferred else step.step_status


def step_table(steps: Sequence[Step]) -> Table:
    """Returns a table with a row for each step: its input, its outcome, a change of status, and what followed."""
    rows = table("At", "Input", "Outcome", "Led to")
    status = ""
    for step in steps:
        name = step.name if step.kind in ("event", "outcome") else f"{step.kind}: {step.name}"
        is_bad = step.outcome in ("rejected", "failed")
        changed_to = [shown(step.status)] if step.status != status else []
        outcome = [f"[red]{step.outcome}[/]" if is_bad else step.outcome, *changed_to]
        led_to = [*([f"[red]{escape(step.problem)}[/]"] if step.problem else []), *map(escape, step.sent)]
        rows.add_row(f"{step.at:%m-%d %H:%M:%SZ}", escape(name), "\n".join(outcome), "\n".join(led_to))
        status = step.status
    return rows


def print_saga(found: ShownSaga, out: Console) -> None:
    """Prints what is known of a saga, without its steps."""
    saga = found.row
    reason = f", {saga['reason']}" if saga["reason"] else ""
    out.print(f"Saga      {saga['saga_id']} of {saga['saga']}", markup=False)
    out.print(f"About     {saga['key']}", markup=False)
    out.print(f"Status    {shown(found.status)}{reason}", markup=False)
    out.print(f"Started   {saga['started_at']:%Y-%m-%d %H:%M:%SZ}", markup=False)
    if found.stuck:
        out.print(f"Stuck     {found.stuck}", style="bold red", markup=False)
    out.print(f"State     {orjson.dumps(saga['state']).decode()}", markup=False)
    for sent in saga["in_flight"].values():
        out.print(f"In flight {sent['name']} since {sent['sent_at']}", markup=False)
    for name, due in saga["timers"].items():
        out.print(f"Timer     {name} at {due}", markup=False)
    out.print()


SHOW = Reading("sagas/show", OneSaga, show_saga, TypeAdapter(ShownSaga))
