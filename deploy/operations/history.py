"""The recorded operations of operators, the newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter
from rich.console import Console

from deploy.console.printing import ago
from deploy.operations.installation import OpenInstallation
from deploy.operations.reading import Reading
from deploy.operations.run import Parameters
from query_api.views.page_request import parse_page_request
from query_api.views.reader import ViewReader
from schemas.access import Access
from schemas.engine.operation_views import Operations
from schemas.engine.operations import CONTEXT
from schemas.system import ENGINE, ContextName

HOME = ContextName(ENGINE, CONTEXT)
Recorded = Annotated[dict[str, Any], AfterValidator(lambda row: Operations.model_validate(row).model_dump())]
"""A row of the view ``engine.operations``."""


class HistoryFilter(Parameters):
    """The operations to list; every part that is set must match."""

    operation: str | None = Field(default=None, description="Its name, such as `subscriptions/pause`.")
    actor: str | None = Field(default=None, description="Who did it.")
    limit: int = Field(default=50, ge=1, le=1000)


async def list_operations(installation: OpenInstallation, wanted: HistoryFilter) -> Sequence[Recorded]:
    """Lists what operators did, the newest first: who, when, why, and how it ended."""
    reader = ViewReader(installation.within("caudal_reader").view_store(HOME), HOME, Operations)
    filters = [(name, text) for name in ("operation", "actor") if (text := getattr(wanted, name)) is not None]
    page = await reader.page(parse_page_request([*filters, ("sort", "-began_at"), ("limit", str(wanted.limit))]))
    return [dict(row) for row in page.rows]


def print_operations(rows: Sequence[Recorded], out: Console, now: datetime) -> None:
    """Prints each in a line, with its reason and its problem below."""
    for row in rows:
        outcome = row["outcome"] or "not ended"
        out.print(
            f"{ago(row['began_at'], now):>11}  {row['operation']}  {_about(row)}  {outcome}, by {row['actor']}", markup=False
        )
        for text in filter(None, (row["reason"], row["problem"])):
            out.print(f"{'':11}  {text}", style="dim", markup=False)
    if not rows:
        out.print("No operations are recorded.")


def _about(row: Recorded) -> str:
    """Returns the parameters that are set, in a few words."""
    given = {name: value for name, value in row["parameters"].items() if value not in (None, False, [], "")}
    return " ".join(f"{name}={value}" if len(given) > 1 else str(value) for name, value in given.items())


LIST = Reading(
    "operations/list", HistoryFilter, list_operations, TypeAdapter(Sequence[Recorded]), access=Access.to("operator", "auditor")
)
