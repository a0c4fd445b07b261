"""The queries of data ingestion."""

from query_api.queries.query import Query
from schemas.data_ingestion.records import Record

QUERIES = (
    Query("/query/all", Record, "All deliveries, a page at a time."),
    Query("/query/partner/{partner_id:path}", Record, "The deliveries of one partner, a page at a time.", where="partner_id"),
    Query("/query/{data_id}", Record, "One delivery: payload, states, verdict and results.", key="data_id"),
)
