"""An installation: every schema is in the database that the settings name for it."""

import pytest

from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.installation import Installation, served_contexts
from streams.settings import Settings

INGESTION, VALIDATION = ContextName("data_ingestion", "ingestion"), ContextName("data_ingestion", "validation")


@pytest.fixture
def databases() -> Databases:
    return Databases(None, 1)


def test_logs_views_keys_and_limits_have_databases_of_their_own(databases: Databases) -> None:
    settings = Settings(
        write_dsn="w", read_dsn="r", keys_dsn="k", write_dsns={str(VALIDATION): "wv"}, read_dsns={str(VALIDATION): "rv"}
    )
    installation = Installation(settings, Catalog.of([]), databases)

    assert installation.log_store(INGESTION) == Store.of_log(databases, "w", INGESTION)
    assert installation.log_store(VALIDATION) == Store.of_log(databases, "wv", VALIDATION)
    assert installation.view_store(INGESTION) == Store.of_views(databases, "r", INGESTION)
    assert installation.view_store(VALIDATION) == Store.of_views(databases, "rv", VALIDATION)
    assert (installation.keys_store.dsn, installation.limits_store.dsn) == ("k", "w")


def test_keys_are_in_the_database_of_the_logs_unless_they_have_one(databases: Databases) -> None:
    assert Installation(Settings(write_dsn="w"), Catalog.of([]), databases).keys_store.dsn == "w"


def test_a_process_serves_every_context_unless_some_are_named() -> None:
    catalog = installed_catalog(["data_ingestion"])

    assert served_contexts(Settings(), catalog) == frozenset(catalog.contexts)
    assert served_contexts(Settings(contexts=["data_ingestion.validation"]), catalog) == {VALIDATION}
    with pytest.raises(Misconfigured, match=r"names data_ingestion\.nothing, which is not installed; installed are data_ing"):
        served_contexts(Settings(contexts=["data_ingestion.nothing"]), catalog)
