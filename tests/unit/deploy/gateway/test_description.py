"""The OpenAPI documents of gateways."""

import json
import re

import pytest

from deploy.gateway.description import describe
from deploy.gateway.discovery import installed_gateways
from deploy.gateway.routing import routes_of
from schemas.clients.gateway import Gateway
from streams.discovery import installed_catalog
from streams.http.documentation import declared_access

CATALOG = installed_catalog()


@pytest.mark.parametrize("gateway", installed_gateways(CATALOG).values(), ids=lambda gateway: gateway.name)
def test_a_document_has_the_paths_of_its_gateway_and_every_schema_that_they_need(gateway: Gateway) -> None:
    routes = routes_of(gateway, CATALOG)
    document = describe(gateway, routes, CATALOG, declared_access)

    operations = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert operations
    for method, path in operations:
        routes.find(method, re.sub(r"\{.*?\}", "x", path))
    of_the_engine = ("/commands/", "/views/")
    own = {
        (route.method, route.path.replace(":path}", "}")) for route in routes.all if not route.path.startswith(of_the_engine)
    }
    assert own <= operations
    text = json.dumps(document)
    needed = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert needed == document["components"]["schemas"].keys()
    ids = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    assert set(re.findall(r'"operationId": "([^"]+)"', text)) == ids
    assert document["info"]["title"] == gateway.name


def test_a_path_is_documented_under_the_name_that_the_gateway_gives_it() -> None:
    gateway = Gateway("data_ingestion", 1, paths={"GET /datos/{data_id}": "/query/{data_id}"}, only_paths=True)
    document = describe(gateway, routes_of(gateway, CATALOG), CATALOG, declared_access)

    assert list(document["paths"]) == ["/datos/{data_id}"]
