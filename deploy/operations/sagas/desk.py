"""The desk for processes: which there are, which are stuck and why, and what an operator tells them."""

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import typer

from aggregates.system import installed
from command_api.composition import issue
from deploy.console.connection import connected
from deploy.console.printing import console, table
from query_api.views.reader import ViewReader, parse_query
from schemas.catalog import ENGINE, Catalog, ContextName
from schemas.engine.saga_views import SagaLogs, Sagas
from schemas.engine.sagas import CONTEXT, ENDED, CancelSaga, RetrySaga
from schemas.errors import NotFound
from schemas.view import View
from streams.database.pools import Databases
from streams.settings import Settings

LATE = timedelta(minutes=1)
"""From then on a command without an answer, and a process that waits for nothing in particular, are worth a look."""

_HOME = ContextName(ENGINE, CONTEXT)
_PAGE = 1000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which processes are wanted."""

    process: str | None
    ended: bool
    limit: int


def why_stuck(saga: Row, at: datetime, *, may_wait: bool) -> str | None:
    """What keeps a process from going on, where something does. ``may_wait``: whether it may wait for events for ever."""
    if saga["status"] in ENDED:
        return None
    for found in saga["failed_compensations"].values():
        return f"{found['name']} could not be compensated: {found['problem']}"
    for found in saga["deferred"].values() if saga["status"] != "compensating" else ():
        return f"{found['name']}: {found['problem']}"
    late = [sent for sent in saga["in_flight"].values() if at - datetime.fromisoformat(sent["sent_at"]) > LATE]
    if late:
        return f"{late[0]['name']} has had no answer since {late[0]['sent_at']}"
    is_idle = saga["status"] == "running" and not saga["in_flight"] and not saga["timers"] and not may_wait
    if is_idle and at - saga["updated_at"] > LATE:
        return f"waits for an event since {saga['updated_at']:%Y-%m-%d %H:%M:%S}"
    return None


async def list_them(wanted: Wanted, data_dir: Path, settings: Settings, *, as_json: bool) -> None:
    """Prints the processes that are asked for. Raises `Unavailable` and `NotFound`."""
    filters = [("saga", wanted.process)] if wanted.process else []
    if not wanted.ended:
        filters.append(("status[in]", "running,in_review,compensating"))
    found = await _rows(settings, data_dir, Sagas, filters)
    at = datetime.now(UTC)
    resting = _resting(settings)
    stuck = {row["saga_id"]: why_stuck(row, at, may_wait=row["saga"] in resting) for row in found}
    ordered = sorted(found, key=lambda row: (stuck[row["saga_id"]] is None, row["updated_at"]))[: wanted.limit]
    if as_json:
        typer.echo(orjson.dumps([{**row, "stuck": stuck[row["saga_id"]]} for row in ordered]))
        return
    if not ordered:
        typer.echo("No process runs." if not wanted.ended else "There are no processes.")
        return
    shown = table("saga", "process", "about", "state", "since", "why")
    for row in ordered:
        why = stuck[row["saga_id"]]
        reason = f"STUCK: {why}" if why else row["reason"] or _next_timer(row)
        shown.add_row(
            row["saga_id"], row["saga"], row["key"], row["status"].upper(), f"{row['updated_at']:%Y-%m-%d %H:%M:%S}", reason
        )
    console().print(shown)


async def show_one(saga_id: str, data_dir: Path, settings: Settings, *, as_json: bool) -> None:
    """Prints one process with its timeline. Raises `NotFound` where there is none, and `Unavailable`."""
    found = await _rows(settings, data_dir, Sagas, [("saga_id", saga_id)])
    if not found:
        raise NotFound(f"there is no process {saga_id}; `caudal sagas list --ended` names all of them")
    saga = found[0]
    timeline = await _rows(settings, data_dir, SagaLogs, [("saga_id", saga_id), ("sort", "step")])
    stuck = why_stuck(saga, datetime.now(UTC), may_wait=saga["saga"] in _resting(settings))
    if as_json:
        typer.echo(orjson.dumps({**saga, "stuck": stuck, "timeline": timeline}))
        return
    typer.echo(f"{saga['saga']} {saga['key']}: {saga['status'].upper()}{', ' + saga['reason'] if saga['reason'] else ''}")
    if stuck:
        typer.echo(f"STUCK: {stuck}")
    typer.echo(f"state   {orjson.dumps(saga['state']).decode()}")
    for sent in saga["in_flight"].values():
        typer.echo(f"on its way   {sent['name']} since {sent['sent_at']}")
    for name, due in saga["timers"].items():
        typer.echo(f"timer   {name} at {due}")
    shown = table("at", "what", "state", "then", "sent", "problem")
    for entry in timeline:
        what = entry["event_type"] if entry["kind"] == "event" else f"{entry['kind']}: {entry['event_type']}"
        at = f"{entry['received_at']:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        sent = ", ".join(one["command"] for one in entry["sent"])
        shown.add_row(at, what, entry["step_status"].upper(), entry["saga_status"].upper(), sent, entry["problem"] or "")
    console().print(shown)


async def tell(command: RetrySaga | CancelSaga, data_dir: Path, settings: Settings) -> None:
    """Sends an operator's command to a saga. Raises `Rejected` if it makes no sense, and `Unavailable`."""
    settings = connected(settings, data_dir)
    await issue(settings, Catalog.installed(settings.systems), command, getpass.getuser())


def _next_timer(saga: Row) -> str:
    due = sorted((at, name) for name, at in saga["timers"].items())
    return f"{due[0][1]} at {due[0][0]}" if due else ""


def _resting(settings: Settings) -> set[str]:
    """The process managers whose processes may wait for events for ever."""
    sides = installed(Catalog.installed(settings.systems))
    return {
        f"{system}.{manager.name}" for system, side in sides.items() for manager in side.sagas if manager.may_wait_indefinitely
    }


async def _rows(
    settings: Settings, data_dir: Path, view: type[View], filters: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Every row that the filters let through."""
    settings = connected(settings, data_dir)
    databases = Databases("caudal_reader", 1)
    reader = ViewReader(settings, databases, _HOME, view)
    found: list[dict[str, Any]] = []
    after: list[tuple[str, str]] | None = []
    try:
        while after is not None:
            page = await reader.page(parse_query([*filters, ("limit", str(_PAGE)), *after]))
            found += [dict(row) for row in page.rows]
            after = None if page.next is None else [("after", page.next)]
    finally:
        await databases.close()
    return found
