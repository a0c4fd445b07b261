"""The engine's own queries: sagas and their log."""

from pydantic import BaseModel, ConfigDict

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from schemas.catalog import ContextName
from schemas.engine.saga_views import Saga, SagaLogEntry
from schemas.engine.sagas import CONTEXT, SYSTEM, stream_of


class SagaTimeline(BaseModel):
    """A saga with every field of its view, and the entries of its log."""

    model_config = ConfigDict(extra="allow")

    saga_id: str
    process: str | None
    status: str
    state: str
    timeline: list[SagaLogEntry]


async def saga(context: QueryContext) -> Answer:
    """Returns a saga with its timeline: the entries that the caller may read, oldest first, up to the saga's newest step."""
    saga_id = context.path_parameter("saga_id")
    row = await context.views.row(context.request, Saga, saga_id)
    newest = context.views.token(ContextName(SYSTEM, CONTEXT), stream_of(saga_id), row["position"])
    order = ("saga_id", saga_id), ("sort", "step")
    timeline = await context.views.all_rows(context.request, SagaLogEntry, newest, *order)
    return Answer({**row, "timeline": timeline})


QUERIES = (
    Query("/saga/logs", SagaLogEntry, "The log of all sagas: what each handled, with the result, a page at a time."),
    Query("/sagas", Saga, "All sagas with their status, a page at a time."),
    Query(
        "/sagas/{saga_id}",
        Saga,
        "One saga: its status, its state and its timeline.",
        key="saga_id",
        shape=SagaTimeline,
        handler=saga,
    ),
)
