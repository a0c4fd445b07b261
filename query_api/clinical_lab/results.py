"""The results that a caller may see: each reading is recorded."""

from collections.abc import Sequence

from query_api.clinical_lab.numbers import numbered, row_by_number_or_id
from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.clinical_lab import dialect
from schemas.clinical_lab.results import RecordResultQuery
from schemas.clinical_lab.views import Results
from streams.http.request_context import caller_of


class Result(Results, context="results", key="result_id"):
    """A result, with its number under the name by which clients know it."""

    id: int


async def results(context: QueryContext) -> Answer:
    """Returns a page of the caller's results."""
    page = await context.views.page(context.request, Results)
    await record_readings(context, page.rows)
    return context.page(page, list(map(numbered, page.rows)))


async def result(context: QueryContext) -> Answer:
    """Returns a result by its number or its id."""
    row = await row_by_number_or_id(context, Results, "result", context.path_parameter("result_id"))
    await record_readings(context, [row])
    return Answer(numbered(row))


async def record_readings(context: QueryContext, rows: Sequence[Row]) -> None:
    """Sends who reads which results, before the answer is sent; raises `Unavailable`, so that no reading is left out."""
    caller = caller_of(context.request)
    assert caller is not None, "the view needs a token"
    commands = (RecordResultQuery.model_validate({"result_id": row["result_id"], "queried_by": caller.subject}) for row in rows)
    await context.commands.send(context.request, [(command, str(command.result_id)) for command in commands])


QUERIES = (
    Query(
        "/results",
        Results,
        "The caller's results, a page at a time; the reading of each is recorded.",
        shape=Result,
        handler=results,
        errors=dialect.RESULTS,
    ),
    Query(
        "/results/{result_id}",
        Results,
        "One result, by its number or its id; the reading is recorded.",
        key="result_id",
        shape=Result,
        handler=result,
        errors=dialect.RESULTS,
    ),
)
