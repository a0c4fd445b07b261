"""Documentation pages: an OpenAPI document with its schemas, and Swagger UI from this server."""

from typing import Any

import httpx
from pydantic import BaseModel
from starlette.applications import Starlette

from schemas.access import Access
from schemas.clients.dialect import Dialect
from schemas.errors import AlreadyExists, Forbidden, Invalid, Overloaded, Rejected, SignInsBlocked, Unauthenticated
from streams.http.documentation import document, documentation_routes, problem_responses, schema_of, security_of


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


def test_two_classes_of_one_name_have_two_schemas() -> None:
    class Thing(BaseModel):
        other: int

    content = {name: {"schema": schema_of(model)} for name, model in (("a", described_thing()), ("b", Thing))}
    found = document("Things", "All of them.", {"/things": {"get": {"responses": {"200": {"content": content}}}}})

    references = [found["paths"]["/things"]["get"]["responses"]["200"]["content"][name]["schema"]["$ref"] for name in "ab"]
    schemas = [found["components"]["schemas"][one.removeprefix("#/components/schemas/")] for one in references]
    assert [list(one["properties"]) for one in schemas] == [["name"], ["other"]]


def described_thing() -> type[BaseModel]:
    return Thing


def test_the_responses_for_errors_name_their_kinds_and_headers() -> None:
    found = problem_responses((Rejected, AlreadyExists, Invalid, Unauthenticated, Overloaded), 431)

    assert list(found) == ["401", "409", "422", "431", "503"]
    assert "`urn:caudal:problem:already-exists`: The thing to be created exists already." in found["409"]["description"]
    assert all(f"`urn:caudal:problem:{kind}`" in found["422"]["description"] for kind in ("invalid", "rejected"))
    assert [list(found[status].get("headers", ())) for status in ("401", "409", "503")] == [
        ["WWW-Authenticate"], [], ["Retry-After"],
    ]  # fmt: skip


def test_a_dialect_adds_its_bodies_and_statuses_and_a_header_that_not_all_have_is_optional() -> None:
    dialect = Dialect(Thing, lambda text, _: Thing(name=text), statuses={"sign_ins_blocked": 403, "invalid": 400})

    found = problem_responses((Forbidden, SignInsBlocked, Invalid), 431, dialect=dialect)

    assert list(found) == ["400", "403", "422", "429", "431"]
    assert [list(found[status]["content"]) for status in ("400", "403", "422", "431")] == [
        ["application/json"],
        ["application/problem+json", "application/json"],
        ["application/problem+json"],
        ["application/problem+json"],
    ]
    assert {name: header["required"] for name, header in found["403"]["headers"].items()} == {
        "WWW-Authenticate": False,
        "Retry-After": False,
    }
    assert found["429"]["headers"]["Retry-After"]["required"] is True


def test_a_document_states_the_rules_of_every_operation() -> None:
    assert document("Things", "", {}, rules=("is no thing",))["info"]["x-rules"] == ["is no thing"]


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


class ThingGone(Rejected):
    """The thing is gone."""

    kind = "thing_gone"


def test_a_kind_of_rejection_that_is_the_systems_own_has_the_status_of_its_dialect() -> None:
    dialect = Dialect(Thing, lambda text, _: Thing(name=text), statuses={"invalid": 400, "thing_gone": 410})

    found = problem_responses((Invalid, ThingGone), dialect=dialect)

    assert list(found) == ["400", "410", "422"]
    assert found["410"] == {
        "description": "Gone.\n\n`urn:caudal:problem:thing-gone`: The thing is gone.",
        "content": {"application/json": {"schema": schema_of(Thing)}},
    }
    assert "`urn:caudal:problem:thing-gone`: The thing is gone." in found["422"]["description"]
