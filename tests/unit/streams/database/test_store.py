"""Stores: names of schemas, and statements by their names."""

import pytest

from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import SQL, Store, log_schema, statement, views_schema, views_schema_name

INGESTION = ContextName("data_ingestion", "ingestion")


def test_a_context_has_a_schema_for_its_log_and_another_for_its_views() -> None:
    assert log_schema(INGESTION) != views_schema(INGESTION)
    assert views_schema(INGESTION) == f'"{views_schema_name(INGESTION)}"'


@pytest.mark.parametrize("system", ['a"b', "a" * 60])
def test_a_name_that_cannot_be_a_schema_is_rejected(system: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a schema"):
        log_schema(ContextName(system, "context"))


@pytest.mark.parametrize("path", sorted((SQL / "queries").glob("*.sql")), ids=lambda path: path.stem)
def test_every_statement_can_be_filled_for_a_schema(path: object) -> None:
    name = path.stem  # type: ignore[attr-defined]

    assert "{schema}" not in statement(name, '"a_b"')


def test_a_store_is_a_value_that_knows_its_statements() -> None:
    databases = Databases(None, 1)
    store = Store.of_log(databases, "dsn", INGESTION)

    assert store == Store(databases, "dsn", log_schema(INGESTION))
    assert store.sql("head") == statement("head", log_schema(INGESTION))
    assert Store.of_views(databases, "dsn", INGESTION).schema == views_schema(INGESTION)
