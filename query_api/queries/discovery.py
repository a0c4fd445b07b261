"""The queries and the saga labels of the installed systems, found by entry points."""

from collections.abc import Mapping

from query_api.queries.checks import check
from query_api.queries.query import Query
from query_api.queries.saga_labels import SagaLabels
from schemas.catalog import Catalog


def installed(catalog: Catalog) -> Mapping[str, tuple[Query, ...]]:
    """Returns the ``QUERIES`` of each system; raises `Misconfigured` for one that cannot work."""
    queries: Mapping[str, tuple[Query, ...]] = dict(catalog.registered("caudal.query_api"))
    check(catalog, queries)
    return queries


def installed_labels(catalog: Catalog) -> Mapping[str, SagaLabels]:
    """Returns the ``SAGA_LABELS`` of the systems that declare them."""
    return dict(catalog.registered("caudal.saga_labels"))
