"""Data ingestion's own paths for queries."""

from starlette.requests import Request

from query_api.http.routes import Answer, QueryRoute, Views

SYSTEM, VIEW = "data_ingestion", "records"


async def everything(request: Request, views: Views) -> Answer:
    return await views.rows(request, SYSTEM, VIEW)


async def of_partner(request: Request, views: Views) -> Answer:
    return await views.rows(request, SYSTEM, VIEW, ("partner_id", request.path_params["partner_id"]))


async def by_id(request: Request, views: Views) -> Answer:
    return await views.row(request, SYSTEM, VIEW, request.path_params["data_id"])


ROUTES = (
    QueryRoute("/query/all", VIEW, everything, "All deliveries, a page at a time."),
    QueryRoute("/query/partner/{partner_id:path}", VIEW, of_partner, "The deliveries of one partner, a page at a time."),
    QueryRoute("/query/{data_id}", VIEW, by_id, "One delivery: payload, states, verdict and results.", one=True),
)
