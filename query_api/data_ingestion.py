"""The queries of data ingestion: each row has the names that its clients know beside those of the view."""

from datetime import datetime
from uuid import UUID

from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.data_ingestion.dialect import DIALECT
from schemas.data_ingestion.records import Records

_LIMIT = 1000
"""Rows of a page: the clients know no pages."""


class Delivery(Records, context="ingestion", key="data_id"):
    """One delivery, with its id and its time under the names of the clients."""

    id: UUID
    timestamp: datetime | None


def delivery(row: Row) -> Delivery:
    return Delivery.model_construct(**row, id=row["data_id"], timestamp=row["received_at"])


QUERIES = (
    Query("/query/all", Records, "All deliveries, a page at a time.", shape=delivery, limit=_LIMIT, errors=DIALECT),
    Query(
        "/query/partner/{partner_id:path}",
        Records,
        "The deliveries of one partner, a page at a time.",
        where="partner_id",
        shape=delivery,
        limit=_LIMIT,
        errors=DIALECT,
    ),
    Query(
        "/query/{data_id}",
        Records,
        "One delivery: payload, states, verdict and results.",
        key="data_id",
        shape=delivery,
        errors=DIALECT,
    ),
)
