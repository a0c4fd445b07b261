"""The queries of data ingestion."""

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from schemas.data_ingestion.records import Records
from schemas.values.names import nfc


async def of_partner(context: QueryContext) -> Answer:
    """Returns the deliveries of a partner, whose name may be in any form of Unicode."""
    page = await context.views.page(context.request, Records, ("partner_id", nfc(context.path_parameter("partner_id"))))
    return context.page(page, page.rows)


QUERIES = (
    Query("/query/all", Records, "All deliveries, a page at a time."),
    Query(
        "/query/partner/{partner_id:path}",
        Records,
        "The deliveries of one partner, a page at a time.",
        where="partner_id",
        handler=of_partner,
    ),
    Query("/query/{data_id}", Records, "One delivery: payload, states, verdict and results.", key="data_id"),
)
