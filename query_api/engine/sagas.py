"""The engine's own paths for queries: sagas and their log."""

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from query_api.http.routes import Answer, QueryRoute, Views
from schemas.catalog import ENGINE as SYSTEM
from schemas.catalog import ContextName
from schemas.engine.saga_views import SagaLogs
from schemas.engine.sagas import CONTEXT, stream_of


class Timeline(BaseModel):
    """A saga, with every field of the view, and what it was told."""

    model_config = ConfigDict(extra="allow")

    saga_id: str
    saga: str | None
    status: str
    timeline: list[SagaLogs]


async def logs(request: Request, views: Views) -> Answer:
    return await views.rows(request, SYSTEM, "saga_logs")


async def sagas(request: Request, views: Views) -> Answer:
    return await views.rows(request, SYSTEM, "sagas")


async def saga(request: Request, views: Views) -> Answer:
    """A saga with its timeline: what it was told, oldest first, up to where the saga stands, as far as that is the caller's."""
    saga_id = request.path_params["saga_id"]
    found = await views.row(request, SYSTEM, "sagas", saga_id)
    newest = views.token(ContextName(SYSTEM, CONTEXT), stream_of(saga_id), found.body["position"])
    timeline = await views.every_row(request, SYSTEM, "saga_logs", newest, ("saga_id", saga_id), ("sort", "step"))
    return Answer({**found.body, "timeline": timeline}, {})


ROUTES = (
    QueryRoute("/saga/logs", "saga_logs", logs, "What every process was told, and what became of it, a page at a time."),
    QueryRoute("/sagas", "sagas", sagas, "Every process and how it stands, a page at a time."),
    QueryRoute(
        "/sagas/{saga_id}", "sagas", saga, "One process: how it stands, what it knows, and its timeline.", Timeline, one=True
    ),
)
