"""The gateway as an application: what it answers itself."""

from tests.unit.deploy.gateway.apis import Api, gateway_of


async def test_it_says_in_the_systems_words_how_it_is() -> None:
    api = Api()
    async with gateway_of([api]) as (client, app):
        assert (await client.get("/health")).json() == {"estado": "bien"}
        assert (await client.get("/readyz")).json() == {"status": "ready", "failing": {}}

        app.upstreams["query"].instances[0].failing = "it answered 503"
        for path in ("/health", "/readyz"):
            got = await client.get(path)
            assert (got.status_code, got.json()["failing"]) == (503, {"query API": f"{api.url}: it answered 503"})
        assert (await client.get("/livez")).status_code == 200


async def test_fixed_answers_are_texts_or_documents() -> None:
    api = Api()
    async with gateway_of([api]) as (client, _):
        text, document = await client.get("/"), await client.get("/document")

    assert (text.text, text.headers["content-type"]) == ("hola", "text/plain; charset=utf-8")
    assert (document.json(), document.headers["content-type"]) == ({"a": 1}, "application/json")
    assert not api.requests


async def test_it_documents_its_paths() -> None:
    async with gateway_of([Api()]) as (client, _):
        spec, openapi = await client.get("/spec"), await client.get("/openapi.json")

        assert spec.json() == openapi.json()
        assert "/ingest" in spec.json()["paths"]
        assert "swagger" in (await client.get("/docs")).text
        assert "caudal_gateway_requests" in (await client.get("/metrics")).text


async def test_unknown_paths_and_methods_reach_no_api() -> None:
    api = Api()
    async with gateway_of([api]) as (client, _):
        unknown, wrong = await client.get("/nothing"), await client.delete("/ingest")

    assert (unknown.status_code, wrong.status_code, wrong.headers["allow"]) == (404, 405, "POST")
    assert not api.requests


async def test_pages_of_allowed_origins_may_call_it() -> None:
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-y"}
    async with gateway_of([Api()], cors_origins="https://a.example") as (client, _):
        got = await client.options("/ingest", headers=preflight)
        assert (got.status_code, got.headers["access-control-allow-origin"]) == (200, "https://a.example")
        answer = await client.get("/query/all", headers={"Origin": "https://a.example"})
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        assert "Consistency-Token" in answer.headers["access-control-expose-headers"]
        other = await client.get("/query/all", headers={"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers
    async with gateway_of([Api()]) as (client, _):
        assert "access-control-allow-origin" not in (await client.get("/query/all", headers=preflight)).headers
