"""The queries and the saga labels of the installed systems."""

from collections.abc import Mapping

from query_api.queries.checks import check
from query_api.queries.question import OwnQuery
from query_api.queries.saga_labels import SagaLabels
from schemas.catalog import Catalog
from streams.discovery import declared, declared_rows


def installed(catalog: Catalog) -> Mapping[str, tuple[OwnQuery, ...]]:
    """Returns the ``QUERIES`` of each system; raises `Misconfigured` for one that cannot work."""
    queries: Mapping[str, tuple[OwnQuery, ...]] = declared_rows(catalog, "query_api", "QUERIES")
    check(catalog, queries)
    return queries


def installed_labels(catalog: Catalog) -> Mapping[str, SagaLabels]:
    """Returns the ``SAGA_LABELS`` of the systems that declare them."""
    return declared(catalog, "query_api", "SAGA_LABELS")
