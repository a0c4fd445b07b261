"""Examples in OpenAPI documents are valid for their schemas."""

from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from command_api.http.openapi import describe as describe_commands
from query_api.http.openapi import describe as describe_queries
from query_api.queries.discovery import installed
from streams.discovery import declared_rows, installed_catalog
from streams.http.documentation import document, schema_of

CATALOG = installed_catalog()


@pytest.mark.parametrize(
    "described",
    [
        describe_commands(CATALOG, declared_rows(CATALOG, "command_api", "PATHS")),
        describe_queries(CATALOG, installed(CATALOG)),
    ],
    ids=["commands", "queries"],
)
def test_every_example_of_both_apis_is_valid(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    examples = {name: schema["examples"][0] for name, schema in schemas.items() if "examples" in schema}

    assert examples.keys() >= {name for name, schema in schemas.items() if schema.get("properties")}
    for name, example in examples.items():
        jsonschema_rs.validate({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}, example)


class Part(BaseModel):
    """A part of parts."""

    name: str
    parts: "list[Part]" = []


def test_a_schema_that_refers_to_itself_has_an_example_with_an_end() -> None:
    body = {"content": {"application/json": {"schema": schema_of(Part)}}, "description": "Found."}

    described = document("title", "text", {"/parts": {"get": {"responses": {"200": body}}}})

    assert described["components"]["schemas"]["Part"]["examples"][0]["name"] == "name"
