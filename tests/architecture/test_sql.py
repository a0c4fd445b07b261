"""SQL: it lives in files, one statement each, and a statement reads and writes one schema."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "aggregates", "streams", "command_api", "projectors", "query_api", "deploy")
_STATEMENT = re.compile(
    r"""["'](?:select|insert into|delete from|with \w+ as|(?:truncate|create|alter|drop) (?:table|schema|database))\s""",
    re.IGNORECASE,
)
_TABLE = re.compile(r"(?<!distinct )\b(?:from|join|into|update|table)\s+((?:[\w\"{}]+\.)?[\w\"{}]+)", re.IGNORECASE)
IN_PYTHON = {
    "command_api/clock.py": "asks PostgreSQL for its time",
    "deploy/operations/subjects/finding.py": "reads the table of any view",
    "deploy/operations/doctor/checks.py": "asks PostgreSQL for its version and its time",
    "deploy/local/servers/postgres.py": "makes the database of the local stack",
    "query_api/views/reader.py": "asks PostgreSQL for its oldest transaction",
    "streams/database/pools.py": "reads the settings of a session and the identity of the database",
    "streams/database/view_tables.py": "is compiled from the declared views",
    "streams/migrations/migrate.py": "makes schemas and tables whose names are derived, under an advisory lock",
}
"""Modules with SQL in Python, and why."""


def qualified_tables(sql: str) -> set[str]:
    """Returns the schema of each table that a statement names with one."""
    without_comments = re.sub(r"--.*|/\*.*?\*/", "", sql)
    return {name.partition(".")[0] for name in _TABLE.findall(without_comments) if "." in name}


def test_a_statement_reads_and_writes_one_schema() -> None:
    statements = {path.name: path.read_text() for path in (ROOT / "streams/sql/queries").glob("*.sql")}

    other = {name: found for name, sql in statements.items() if (found := qualified_tables(sql) - {"{schema}"})}

    assert len(statements) > 50
    assert other == {}


def test_a_table_of_another_schema_is_found() -> None:
    sql = "select 1 from {schema}.events join lab__tests__views.results using (id) -- from other.place"

    assert qualified_tables(sql) == {"{schema}", "lab__tests__views"}


def test_sql_in_python_is_listed_with_its_reason() -> None:
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]

    found = {str(path.relative_to(ROOT)) for path in paths if _STATEMENT.search(path.read_text())}

    assert found == IN_PYTHON.keys()
