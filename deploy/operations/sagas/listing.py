"""Sagas in groups by their definition, those that are stuck first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field, TypeAdapter
from rich.console import RenderableType
from rich.markup import escape

from deploy.console.printing import SHORT_ID, ago, grouped, short_ids
from deploy.operations.installation import OpenInstallation
from deploy.operations.reading import Reading
from deploy.operations.run import Parameters
from deploy.operations.sagas.reading import SagaContent, definitions, may_wait_indefinitely, saga_rows
from deploy.operations.sagas.stuck import RUNNING, SagaRow, next_timer, shown, status_of, why_stuck
from schemas.engine.sagas import ENDED
from schemas.errors import NotFound

Which = Literal["running", "ended", "all"]
_ENDED = ",".join(sorted(ENDED))
_STYLES = {"failed": "red", "cancelled": "yellow", "compensating": "yellow", "in_review": "yellow", "completed": "green"}


class SagaFilter(Parameters):
    """The sagas to list."""

    kind: str | None = Field(default=None, description="`system.name` of their definition.")
    which: Which = "running"
    limit: int = Field(default=100, ge=1, le=10_000)


@dataclass(frozen=True, slots=True)
class ListedSaga:
    """A saga with what is shown of it."""

    row: SagaContent
    status: str
    """That of the row, or ``waiting``."""
    stuck: str | None
    """Why it is stuck, if it is."""


@dataclass(frozen=True, slots=True)
class ListedSagas:
    """Sagas, those that are stuck first, each group the longest unchanged first."""

    rows: Sequence[ListedSaga]
    found: int
    """Their number without a limit."""


async def list_sagas(installation: OpenInstallation, chosen: SagaFilter) -> ListedSagas:
    """Lists sagas; those that are stuck come first, with the reason. Raises `NotFound` for an unknown kind."""
    catalog = installation.catalog
    if chosen.kind is not None and chosen.kind not in (known := definitions(catalog)):
        raise NotFound(f"there is no saga definition {chosen.kind!r}; there are {', '.join(sorted(known)) or 'none'}")
    filters = [("saga", chosen.kind)] if chosen.kind else []
    if chosen.which != "all":
        filters.append(("status[in]", _ENDED if chosen.which == "ended" else RUNNING))
    rows = await saga_rows(installation.within("caudal_reader"), filters)
    listed = in_order(rows, datetime.now(UTC), may_wait_indefinitely(catalog))
    return ListedSagas(listed[: chosen.limit], len(listed))


def in_order(rows: Sequence[SagaRow], now: datetime, may_wait: frozenset[str]) -> list[ListedSaga]:
    """Sagas that are stuck first, each group the longest unchanged first."""
    listed = [
        ListedSaga(
            dict(row),
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


LIST = Reading("sagas/list", SagaFilter, list_sagas, TypeAdapter(ListedSagas))
