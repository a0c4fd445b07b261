"""Documentation pages: an OpenAPI document with its schemas, and Swagger UI from this server."""

from typing import Any

import httpx
from pydantic import BaseModel
from starlette.applications import Starlette

from schemas.access import Access
from streams.http.documentation import document, documentation_routes, schema_of, security_of


class Thing(BaseModel):
    name: str


def described() -> dict[str, Any]:
    content = {"application/json": {"schema": schema_of(Thing)}}
    return document(
        "Things", "All of them.", {"/things": {"get": {"responses": {"200": {"description": "", "content": content}}}}}
    )


def test_a_class_in_a_document_becomes_its_schema() -> None:
    found = described()

    assert found["openapi"] == "3.1.0"
    assert found["components"]["schemas"]["Thing"]["required"] == ["name"]


def test_an_operation_names_the_roles_that_may_call_it() -> None:
    assert security_of(None) == {}
    assert security_of(Access.to("reader", "admin")) == {"security": [{"token": ["admin", "reader"]}]}


async def test_the_pages_need_no_other_host() -> None:
    app = Starlette(routes=documentation_routes("Things", described))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        page, script = await client.get("/docs"), await client.get("/docs/files/swagger-ui-bundle.js")
        root, openapi = await client.get("/"), await client.get("/openapi.json")

    assert ("<title>Things</title>" in page.text, "://" in page.text) == (True, False)
    assert (script.status_code, root.headers["location"], openapi.json()["info"]["title"]) == (200, "docs", "Things")
