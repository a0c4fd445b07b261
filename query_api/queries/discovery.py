"""The queries of the installed systems, found by entry points."""

from collections.abc import Mapping

from query_api.queries.checks import check
from query_api.queries.query import Query
from schemas.catalog import Catalog


def installed(catalog: Catalog) -> Mapping[str, tuple[Query, ...]]:
    """Returns the ``QUERIES`` of each system; raises `Misconfigured` for one that cannot work."""
    queries: Mapping[str, tuple[Query, ...]] = dict(catalog.registered("caudal.query_api"))
    check(catalog, queries)
    return queries
