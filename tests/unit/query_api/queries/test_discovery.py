"""The queries of every installed system work."""

from query_api.queries.discovery import installed
from streams.discovery import installed_catalog


def test_every_installed_query_can_work() -> None:
    catalog = installed_catalog()

    queries = installed(catalog)

    assert queries.keys() == catalog.systems.keys()
    assert installed(installed_catalog(["data_ingestion"])).keys() == {"data_ingestion", "engine"}
