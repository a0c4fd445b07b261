"""The queries of every installed system work."""

from query_api.queries.discovery import installed
from schemas.catalog import Catalog


def test_every_installed_query_can_work() -> None:
    catalog = Catalog.installed()

    queries = installed(catalog)

    assert queries.keys() == catalog.systems.keys()
    assert installed(Catalog.installed(["data_ingestion"])).keys() == {"data_ingestion", "engine"}
