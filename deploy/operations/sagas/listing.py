"""``caudal sagas list``: sagas in groups by their definition, those that are stuck first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import typer
from rich.console import RenderableType
from rich.markup import escape

from deploy.console.printing import SHORT_ID, ago, console, counted, grouped, short_ids
from deploy.operations.sagas.reading import definitions, may_wait_indefinitely, saga_rows
from deploy.operations.sagas.stuck import RUNNING, SagaRow, next_timer, shown, status_of, why_stuck
from schemas.engine.sagas import ENDED
from schemas.errors import NotFound
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.settings import Settings

Which = Literal["running", "ended", "all"]
_ENDED = ",".join(sorted(ENDED))
_STYLES = {"failed": "red", "cancelled": "yellow", "compensating": "yellow", "in_review": "yellow", "completed": "green"}


@dataclass(frozen=True, slots=True)
class SagaFilter:
    """The sagas to list."""

    kind: str | None
    """``system.name`` of their definition; ``None`` for all."""
    which: Which
    limit: int


@dataclass(frozen=True, slots=True)
class ListedSaga:
    """A saga with what is shown of it."""

    row: SagaRow
    status: str
    """That of the row, or ``waiting``."""
    stuck: str | None

    def as_json(self) -> Mapping[str, Any]:
        """Returns the row with the status that the table shows."""
        return {**self.row, "status": self.status, "stuck": self.stuck}


async def list_sagas(chosen: SagaFilter, settings: Settings, *, as_json: bool) -> None:
    """Prints the sagas that are asked for. Raises `Unavailable`, and `NotFound` for an unknown kind."""
    catalog = installed_catalog(settings.systems)
    if chosen.kind is not None and chosen.kind not in (known := definitions(catalog)):
        raise NotFound(f"there is no saga definition {chosen.kind!r}; there are {', '.join(sorted(known)) or 'none'}")
    filters = [("saga", chosen.kind)] if chosen.kind else []
    if chosen.which != "all":
        filters.append(("status[in]", _ENDED if chosen.which == "ended" else RUNNING))
    databases = Databases("caudal_reader", 1)
    try:
        rows = await saga_rows(settings, databases, filters)
    finally:
        await databases.close()
    now = datetime.now(UTC)
    listed = in_order(rows, now, may_wait_indefinitely(catalog))[: chosen.limit]
    if as_json:
        typer.echo(orjson.dumps([one.as_json() for one in listed]))
    elif listed:
        console().print(saga_table(listed, now))
        _print_hints(listed, len(rows))
    else:
        of = f" of {chosen.kind}" if chosen.kind else ""
        running = f"No saga{of} runs; `caudal sagas list --ended` lists those that have ended."
        typer.echo(running if chosen.which == "running" else "There are no such sagas.")


def in_order(rows: Sequence[SagaRow], now: datetime, may_wait: frozenset[str]) -> list[ListedSaga]:
    """Sagas that are stuck first, each group the longest unchanged first."""
    listed = [
        ListedSaga(
            row,
            status_of(row["status"], row["in_flight"], may_wait=row["saga"] in may_wait),
            why_stuck(row, now, may_wait=row["saga"] in may_wait),
        )
        for row in rows
    ]
    return sorted(listed, key=lambda one: (one.stuck is None, one.row["updated_at"]))


def saga_table(listed: Sequence[ListedSaga], now: datetime) -> RenderableType:
    """Returns a table with a row for each saga, under a heading for each definition."""
    short = short_ids([one.row["saga_id"] for one in listed])
    groups: dict[str, list[Sequence[str]]] = {}
    for one in listed:
        groups.setdefault(one.row["saga"], []).append(_cells(one, short, now))
    return grouped(("Saga", "About", "Status", "Changed", "Why"), groups)


def _cells(one: ListedSaga, short: Mapping[str, str], now: datetime) -> Sequence[str]:
    row = one.row
    why = one.stuck or row["reason"] or next_timer(row, now)
    status = "[bold red]stuck[/]" if one.stuck else f"[{_STYLES.get(one.status, 'none')}]{shown(one.status)}[/]"
    about = str(row["key"])
    return (
        short[row["saga_id"]],
        escape(about if len(about) <= 20 else f"…{about[-SHORT_ID:]}"),
        status,
        ago(row["updated_at"], now),
        escape(why),
    )


def _print_hints(listed: Sequence[ListedSaga], found: int) -> None:
    if found > len(listed):
        typer.echo(f"{counted(found - len(listed), 'saga')} more; --limit shows them.")
    typer.echo("\n`caudal sagas show SAGA_ID` shows the steps of one.")
