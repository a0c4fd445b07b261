"""The clinical laboratory's own paths for queries."""

from starlette.requests import Request

from query_api.http.routes import Answer, QueryRoute, Views
from schemas.clinical_lab.results import RecordResultQuery
from schemas.errors import NotFound
from streams.http.request_context import caller_of

SYSTEM, VIEW = "clinical_lab", "results"


async def results(request: Request, views: Views) -> Answer:
    """The caller's results: a reading of each is noted."""
    found = await views.rows(request, SYSTEM, VIEW)
    await _note(request, views, found.body)
    return found


async def result(request: Request, views: Views) -> Answer:
    """A result by its number or its id, once it is noted who reads it."""
    asked = request.path_params["result_id"]
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        page = await views.rows(request, SYSTEM, VIEW, ("number", asked))
        if not page.body:
            raise NotFound(f"there is no result {asked}")
        row = page.body[0]
    else:
        row = (await views.row(request, SYSTEM, VIEW, asked)).body
    await _note(request, views, [row])
    return Answer(row, {})


async def _note(request: Request, views: Views, rows: list[dict[str, object]]) -> None:
    caller = caller_of(request)
    assert caller is not None  # the view asks for a token
    noted = [RecordResultQuery.model_validate({"result_id": row["result_id"], "queried_by": caller.subject}) for row in rows]
    await views.send(request, [(command, str(command.result_id)) for command in noted])


ROUTES = (
    QueryRoute("/results", VIEW, results, "The results of whoever asks, a page at a time."),
    QueryRoute("/results/{result_id}", VIEW, result, "One result, by its number or its id; a reading is noted.", one=True),
)
