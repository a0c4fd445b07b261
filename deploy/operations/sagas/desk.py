"""The desk for processes: which there are, which are stuck and why, and what an operator tells them."""

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import typer

from aggregates.system import installed
from command_api.app import make_handler, open_logs, writer_databases
from command_api.http.request import now
from deploy.console.connection import connected
from deploy.console.printing import console, table
from query_api.views.page_request import parse_page_request
from query_api.views.reader import ViewReader
from schemas.catalog import Catalog, ContextName
from schemas.engine.saga_views import Saga, SagaLogEntry
from schemas.engine.sagas import CONTEXT, ENDED, SYSTEM, CancelSaga, RetrySaga
from schemas.envelope import CommandEnvelope
from schemas.errors import NotFound
from schemas.view import View
from streams.database.pools import Databases
from streams.database.store import Store
from streams.settings import Settings

LATE = timedelta(minutes=1)
"""From then on a command without an answer, and a process that waits for nothing in particular, are worth a look."""

_HOME = ContextName(SYSTEM, CONTEXT)
_PAGE = 1000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which processes are wanted."""

    process: str | None
    ended: bool
    limit: int


def why_stuck(saga: Row, at: datetime, *, may_rest: bool) -> str | None:
    """What keeps a process from going on, where something does. ``may_rest``: whether it may wait for events for ever."""
    if saga["status"] in ENDED:
        return None
    for found in saga["not_undone"].values():
        return f"{found['name']} could not be taken back: {found['problem']}"
    for found in saga["waiting"].values() if saga["status"] != "compensating" else ():
        return f"{found['name']}: {found['problem']}"
    late = [sent for sent in saga["underway"].values() if at - datetime.fromisoformat(sent["sent_at"]) > LATE]
    if late:
        return f"{late[0]['name']} has had no answer since {late[0]['sent_at']}"
    is_idle = saga["status"] == "running" and not saga["underway"] and not saga["timers"] and not may_rest
    if is_idle and at - saga["updated_at"] > LATE:
        return f"waits for an event since {saga['updated_at']:%Y-%m-%d %H:%M:%S}"
    return None


async def list_them(wanted: Wanted, data_dir: Path, settings: Settings, *, as_json: bool) -> None:
    """Prints the processes that are asked for. Raises `Unavailable` and `NotFound`."""
    filters = [("process", wanted.process)] if wanted.process else []
    if not wanted.ended:
        filters.append(("status[in]", "running,in_review,compensating"))
    found = await _rows(settings, data_dir, Saga, filters)
    at = datetime.now(UTC)
    resting = _resting(settings)
    stuck = {row["saga_id"]: why_stuck(row, at, may_rest=row["process"] in resting) for row in found}
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
            row["saga_id"], row["process"], row["about"], row["state"], f"{row['updated_at']:%Y-%m-%d %H:%M:%S}", reason
        )
    console().print(shown)


async def show_one(saga_id: str, data_dir: Path, settings: Settings, *, as_json: bool) -> None:
    """Prints one process with its timeline. Raises `NotFound` where there is none, and `Unavailable`."""
    found = await _rows(settings, data_dir, Saga, [("saga_id", saga_id)])
    if not found:
        raise NotFound(f"there is no process {saga_id}; `caudal sagas list --ended` names all of them")
    saga = found[0]
    timeline = await _rows(settings, data_dir, SagaLogEntry, [("saga_id", saga_id), ("sort", "step")])
    stuck = why_stuck(saga, datetime.now(UTC), may_rest=saga["process"] in _resting(settings))
    if as_json:
        typer.echo(orjson.dumps({**saga, "stuck": stuck, "timeline": timeline}))
        return
    typer.echo(f"{saga['process']} {saga['about']}: {saga['state']}{', ' + saga['reason'] if saga['reason'] else ''}")
    if stuck:
        typer.echo(f"STUCK: {stuck}")
    typer.echo(f"knows   {orjson.dumps(saga['knows']).decode()}")
    for sent in saga["underway"].values():
        typer.echo(f"on its way   {sent['name']} since {sent['sent_at']}")
    for name, due in saga["timers"].items():
        typer.echo(f"timer   {name} at {due}")
    shown = table("at", "what", "state", "then", "sent", "problem")
    for entry in timeline:
        what = entry["event_type"] if entry["kind"] == "event" else f"{entry['kind']}: {entry['event_type']}"
        at = f"{entry['received_at']:%Y-%m-%d %H:%M:%S.%f}"[:-3]
        sent = ", ".join(entry["sent"])
        shown.add_row(at, what, entry["state"], entry["saga_state"], sent, entry["problem"] or "")
    console().print(shown)


async def tell(command: RetrySaga | CancelSaga, data_dir: Path, settings: Settings) -> None:
    """Tells a process what an operator wants. Raises `Rejected` where that makes no sense, and `Unavailable`."""
    settings = connected(settings, data_dir)
    catalog = Catalog.installed(settings.systems)
    databases = writer_databases(settings)
    try:
        logs = open_logs(settings, catalog, databases)
        id = uuid4()
        issued = CommandEnvelope(data=command, id=id, at=now(), correlation_id=str(id), actor=getpass.getuser())
        await make_handler(settings, catalog, logs, databases).handle(issued)
        await logs[_HOME].settle()
    finally:
        await databases.close()


def _next_timer(saga: Row) -> str:
    due = sorted((at, name) for name, at in saga["timers"].items())
    return f"{due[0][1]} at {due[0][0]}" if due else ""


def _resting(settings: Settings) -> set[str]:
    """The process managers whose processes may wait for events for ever."""
    sides = installed(Catalog.installed(settings.systems))
    return {f"{system}.{manager.name}" for system, side in sides.items() for manager in side.sagas if manager.may_rest}


async def _rows(
    settings: Settings, data_dir: Path, view: type[View], filters: Sequence[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Every row that the filters let through."""
    settings = connected(settings, data_dir)
    databases = Databases("caudal_reader", 1)
    reader = ViewReader(Store.of_views(databases, settings.view_dsn(_HOME), _HOME), _HOME, view)
    found: list[dict[str, Any]] = []
    after: list[tuple[str, str]] | None = []
    try:
        while after is not None:
            page = await reader.page(parse_page_request([*filters, ("limit", str(_PAGE)), *after]))
            found += [dict(row) for row in page.rows]
            after = None if page.next is None else [("after", page.next)]
    finally:
        await databases.close()
    return found
