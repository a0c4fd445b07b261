"""Routing of a gateway: by method and path, under the names that its clients know."""

import pytest
from starlette.exceptions import HTTPException

from deploy.gateway.routing import Route, Routes, routes_of
from schemas.clients.gateway import Gateway
from schemas.errors import Misconfigured
from streams.discovery import installed_catalog

CATALOG = installed_catalog(["data_ingestion"])
ROUTES = Routes(
    (
        Route("GET", "/orders/{id}", "/shop/orders/{id}", "query", is_command=False),
        Route("POST", "/orders", "/orders", "command", is_command=True),
        Route("GET", "/files/{path:path}", "/files/{path:path}", "query", is_command=False),
    )
)


@pytest.mark.parametrize(
    ("method", "raw", "path"),
    [
        ("GET", "/orders/7", "/shop/orders/7"),
        ("HEAD", "//orders///7", "/shop/orders/7"),
        ("GET", "/orders/a%2Fb", None),
        ("GET", "/orders/a%20b%C3%B1", "/shop/orders/a%20b%C3%B1"),
        ("POST", "/orders", "/orders"),
        ("GET", "/files/a%2Fb%3Fc/d", "/files/a%2Fb%3Fc/d"),
        ("GET", "/orders", None),
        ("GET", "/files/../orders/7", None),
        ("GET", "/files/%2e%2E/orders/7", None),
        ("GET", "/files/./x", None),
        ("GET", "/orders/7/lines", None),
        ("GET", "", None),
    ],
)
def test_a_request_goes_to_the_path_that_the_api_knows(method: str, raw: str, path: str | None) -> None:
    if path is None:
        with pytest.raises(HTTPException):
            ROUTES.find(method, raw)
    else:
        assert ROUTES.find(method, raw).path == path


def test_another_method_is_answered_with_those_that_are_allowed() -> None:
    with pytest.raises(HTTPException) as raised:
        ROUTES.find("DELETE", "/orders/7")
    assert (raised.value.status_code, raised.value.headers) == (405, {"Allow": "GET, HEAD"})

    with pytest.raises(HTTPException) as raised:
        ROUTES.find("GET", "/nothing")
    assert raised.value.status_code == 404


def test_a_gateway_has_the_own_paths_of_its_system_and_the_engines() -> None:
    routes = routes_of(Gateway("data_ingestion", 1), CATALOG)

    assert routes.find("POST", "/ingest").route.is_command
    assert routes.find("GET", "/query/all").route.is_read
    assert routes.find("POST", "/commands/data_ingestion/receive-data").path == "/commands/data_ingestion/receive-data"
    assert routes.find("GET", "/views/data_ingestion/records/1").path == "/views/data_ingestion/records/1"
    with pytest.raises(HTTPException):
        routes.find("POST", "/commands/engine/erase-subject")


def test_a_path_may_have_another_name() -> None:
    gateway = Gateway("data_ingestion", 1, paths={"GET /datos/{data_id}": "/query/{data_id}"})
    routes = routes_of(gateway, CATALOG)

    assert routes.find("GET", "/datos/7").path == "/query/7"
    assert routes.find("GET", "/query/all").path == "/query/all"
    for other in (routes, routes_of(Gateway("data_ingestion", 1, paths=gateway.paths, only_paths=True), CATALOG)):
        with pytest.raises(HTTPException):
            other.find("GET", "/query/7")


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ({"GET /x": "/nothing"}, "data_ingestion has no path GET /nothing"),
        ({"POST /x": "/query/all"}, "data_ingestion has no path POST /query/all"),
        ({"GET /x/{id}": "/query/{data_id}"}, "different parameters"),
    ],
)
def test_a_name_for_no_path_is_an_error(paths: dict[str, str], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        routes_of(Gateway("data_ingestion", 1, paths=paths), CATALOG)
