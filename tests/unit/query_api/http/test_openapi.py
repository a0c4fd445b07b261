"""The query API's OpenAPI document: every path once, with who may read it, and summaries that differ."""

from collections import Counter
from functools import cache
from typing import Any

from query_api.http.openapi import describe
from query_api.queries.discovery import installed
from streams.discovery import installed_catalog


@cache
def paths() -> dict[str, Any]:
    catalog = installed_catalog()
    found: dict[str, Any] = describe(catalog, installed(catalog))["paths"]
    return {path: operations["get"] for path, operations in found.items()}


def test_a_live_view_says_who_may_read_it() -> None:
    for path in ("/views/clinical_lab/users", "/views/clinical_lab/notifications", "/views/engine/sagas"):
        assert paths()[path]["security"] == paths()[f"{path}/live"]["security"] == paths()[f"{path}/{{key}}"]["security"]
    assert "security" not in paths()["/views/data_ingestion/records/live"]


def test_no_two_operations_of_a_system_have_one_summary_or_one_id() -> None:
    summaries = Counter((one["tags"][0], one["summary"]) for one in paths().values())
    ids = Counter(one["operationId"] for one in paths().values())

    assert [summary for summary, count in summaries.items() if count > 1] == []
    assert [name for name, count in ids.items() if count > 1] == []


def test_the_queries_of_systems_are_described_with_their_shapes_and_path_parameters() -> None:
    partner = paths()["/query/partner/{partner_id}"]["parameters"]
    row = paths()["/partners/{id}"]["responses"]["200"]["content"]["application/json"]["schema"]
    page = paths()["/partners"]["responses"]["200"]["content"]["application/json"]["schema"]

    assert [one["in"] for one in partner if one["name"] == "partner_id"] == ["path"]
    assert (page["type"], page["items"]) == ("array", row)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    catalog = installed_catalog()
    document = describe(catalog, installed(catalog))

    missing = {name for name in references(document) if name not in document["components"]["schemas"]}

    assert missing == set()


def references(value: Any) -> set[str]:
    """Returns the names of the schemas that a document refers to."""
    if isinstance(value, dict):
        own = {value["$ref"].removeprefix("#/components/schemas/")} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()
