"""``caudal sagas show``: one saga with its steps, as its log holds them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from deploy.console.printing import console, lines, table
from deploy.operations.sagas.reading import may_wait_indefinitely, saga_row, saga_steps
from deploy.operations.sagas.stuck import SagaRow, shown, status_of, why_stuck
from schemas.engine.sagas import SagaAdvanced
from schemas.envelope import RecordedEvent
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.settings import Settings


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


async def show_saga(short_id: str, settings: Settings, *, as_json: bool) -> None:
    """Prints one saga with its steps. Raises `NotFound` and `Unavailable`."""
    catalog, databases = installed_catalog(settings.systems), Databases("caudal_reader", 1)
    try:
        saga = await saga_row(settings, databases, short_id)
        recorded = await saga_steps(settings, catalog, databases, saga["saga_id"])
    finally:
        await databases.close()
    may_wait = saga["saga"] in may_wait_indefinitely(catalog)
    steps = steps_of(recorded, may_wait=may_wait)
    status = status_of(saga["status"], saga["in_flight"], may_wait=may_wait)
    stuck = why_stuck(saga, datetime.now(UTC), may_wait=may_wait)
    if as_json:
        timeline = [asdict(step) for step in steps]
        typer.echo(orjson.dumps({**saga, "status": status, "stuck": stuck, "timeline": timeline}))
        return
    _print_saga(saga, shown(status), stuck)
    console().print(step_table(steps))


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


def _print_saga(saga: SagaRow, status: str, stuck: str | None) -> None:
    out = lines()
    reason = f", {saga['reason']}" if saga["reason"] else ""
    out.print(f"Saga      {saga['saga_id']} of {saga['saga']}", markup=False)
    out.print(f"About     {saga['key']}", markup=False)
    out.print(f"Status    {status}{reason}", markup=False)
    out.print(f"Started   {saga['started_at']:%Y-%m-%d %H:%M:%SZ}", markup=False)
    if stuck:
        out.print(f"Stuck     {stuck}", style="bold red", markup=False)
    out.print(f"State     {orjson.dumps(saga['state']).decode()}", markup=False)
    for sent in saga["in_flight"].values():
        out.print(f"In flight {sent['name']} since {sent['sent_at']}", markup=False)
    for name, due in saga["timers"].items():
        out.print(f"Timer     {name} at {due}", markup=False)
    out.print()
