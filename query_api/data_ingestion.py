"""The queries of data ingestion."""

from query_api.queries.query import Query
from schemas.data_ingestion.records import Records

QUERIES = (
    Query("/query/all", Records, "All deliveries, a page at a time."),
    Query("/query/partner/{partner_id:path}", Records, "The deliveries of one partner, a page at a time.", where="partner_id"),
    Query("/query/{data_id}", Records, "One delivery: payload, states, verdict and results.", key="data_id"),
)
