"""The query API's OpenAPI document: every path once, with who may read it, and summaries that differ."""

import re
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


def test_a_question_says_who_may_ask_and_which_headers_it_needs() -> None:
    profile, health = paths()["/user-profile"], paths()["/notifications/health"]

    (header,) = profile["parameters"]
    assert (header["name"], header["in"], header["required"]) == ("User-Id", "header", True)
    assert profile["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Profile")
    assert profile["responses"]["400"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorDePerfil")
    assert profile["security"] == [{"token": []}]
    assert "security" not in health


def test_a_list_may_have_another_answer_in_its_place() -> None:
    schema = paths()["/users"]["responses"]["200"]["content"]["application/json"]["schema"]

    rows, message = schema["anyOf"]
    assert rows["items"]["$ref"].endswith("/ListedUser")
    assert message["$ref"].endswith("/Mensaje")


def test_pages_are_linked_with_their_rows_and_events_with_their_streams() -> None:
    def links(path: str) -> dict[str, Any]:
        return {name: one["parameters"] for name, one in paths()[path]["responses"]["200"]["links"].items()}

    assert links("/views/data_ingestion/records") == {"data_ingestion_records_row": {"key": "$response.body#/0/data_id"}}
    assert links("/partners") == {"partners_id": {"id": "$response.body#/0/id"}}
    assert links("/query/all") == {"query_data_id": {"data_id": "$response.body#/0/data_id"}}
    assert links("/audit/{system}/{context}/events")["audit_state"] == {
        "system": "$request.path.system",
        "context": "$request.path.context",
        "stream": "$response.body#/events/0/stream",
    }
    assert "links" not in paths()["/compliance/reportes"]["responses"]["200"], "no query answers with one report"


def test_parameters_have_the_types_of_their_columns() -> None:
    def schemas(path: str) -> dict[str, Any]:
        return {one["name"]: one["schema"] for one in paths()[path]["parameters"]}

    records, row = schemas("/views/data_ingestion/records"), schemas("/views/data_ingestion/records/{key}")
    assert (records["data_id"]["format"], records["received_at"]["format"], row["key"]["format"]) == (
        "uuid",
        "date-time",
        "uuid",
    )
    assert records["schema_revision"]["minimum"] == -(2**63)
    assert schemas("/views/engine/sagas/{key}")["key"]["not"] == {"const": "live"}, "the live view has this path"
    assert schemas("/results/{result_id}")["result_id"] == {"type": "string", "pattern": r"^[^\x00]*$", "minLength": 1}
    assert schemas("/audit/{system}/{context}/streams/{stream}")["limit"]["maximum"] == 1000


def test_a_page_can_be_sorted_by_its_readable_columns() -> None:
    (sort,) = (one["schema"] for one in paths()["/results"]["parameters"] if one["name"] == "sort")

    fitting = [text for text in ("-number,recorded_at", "patient", "x", "", "number,") if re.search(sort["pattern"], text)]
    assert fitting == ["-number,recorded_at"]


def test_a_consistency_token_names_an_installed_context() -> None:
    schema = describe(installed_catalog(), {})["components"]["schemas"]["ConsistencyToken"]

    fitting = ("engine.sagas/0@7", "data_ingestion.ingestion/1@0", "engine.sagas/0@7, data_ingestion.ingestion/1@0")
    others = ("engine.nothing/0@7", "engine.sagas/0", "engine.sagas/0@7, engine.nothing/0@7")
    assert [text for text in (*fitting, *others) if re.search(schema["pattern"], text)] == list(fitting)


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


def test_an_answer_from_all_rows_takes_no_filters_and_a_page_in_another_model_does() -> None:
    described = paths()
    names = {path: {one["name"] for one in described[path]["parameters"]} for path in ("/compliance/check", "/api/v1/partners")}

    assert names["/compliance/check"] == {"Consistency-Token", "Prefer"}
    assert {"limit", "after", "sort", "status"} <= names["/api/v1/partners"]
