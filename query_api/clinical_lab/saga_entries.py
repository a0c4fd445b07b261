"""The log of the laboratory's sagas, in its clients' words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import MAX_LIMIT, Row
from schemas.clinical_lab import dialect
from schemas.clinical_lab.views import SagaEntries
from schemas.engine.sagas import StepStatus

_OF_RESULTS = {"clinical_lab.result", "clinical_lab.reading"}
_STATUSES: Mapping[StepStatus, Literal["RECEIVED", "PROCESSED", "FAILED"]] = {
    "received": "RECEIVED",
    "handled": "PROCESSED",
    "failed": "FAILED",
}


class SagaEntry(BaseModel):
    """An event of one of the laboratory's sagas."""

    id: int = Field(description="Larger for a newer one.")
    topic: Literal["event-user", "event-topic"]
    event_type: str | None
    status: Literal["RECEIVED", "PROCESSED", "FAILED"]
    data: dict[str, JsonValue] = Field(description="The event, with null in the place of each encrypted text.")
    created_at: datetime | None


async def saga_entries(context: QueryContext) -> Answer:
    """Returns a page of the log of the laboratory's sagas, the newest first unless the request sorts them."""
    newest_first = () if "sort" in context.request.query_params else (("sort", "-position"),)
    page = await context.views.page(context.request, SagaEntries, *newest_first, limit=MAX_LIMIT)
    return context.page(page, list(map(saga_entry, page.rows)))


def saga_entry(row: Row) -> SagaEntry:
    """Returns a row of the log in the clients' words."""
    return SagaEntry(
        id=row["position"],
        topic="event-topic" if row["saga"] in _OF_RESULTS else "event-user",
        event_type=row["event_type"],
        status=_STATUSES[row["status"]],
        data=row["data"],
        created_at=row["created_at"],
    )


QUERIES = (
    Query(
        "/clinical_lab/saga/logs",
        SagaEntries,
        "The log of the laboratory's sagas, a page at a time, the newest first.",
        shape=saga_entry,
        handler=saga_entries,
        limit=MAX_LIMIT,
        errors=dialect.DIALECT,
    ),
)
