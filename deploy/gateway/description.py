"""The OpenAPI document of a gateway: its paths, from the documents of both APIs."""

from collections.abc import Iterator, Mapping
from typing import Any

from starlette.routing import compile_path

from command_api.http import openapi as command_api
from command_api.http import paths as commands
from deploy.gateway.routing import Api, Routes
from query_api.http import openapi as query_api
from query_api.queries import discovery as queries
from schemas.catalog import Catalog
from schemas.clients.gateway import Gateway
from streams.http.documentation import Effective

_SCHEMAS = "#/components/schemas/"
_METHODS = ("get", "post", "put", "patch", "delete")


def describe(gateway: Gateway, routes: Routes, catalog: Catalog, effective: Effective) -> dict[str, Any]:
    """Returns the OpenAPI document of a gateway, with the schemas that its operations need."""
    documents: dict[Api, Any] = {
        "command": command_api.describe(catalog, commands.installed(catalog), effective),
        "query": _with_other_names(query_api.describe(catalog, queries.installed(catalog), effective)),
    }
    paths: dict[str, dict[str, Any]] = {}
    for api, path, inner, method in _operations(gateway, routes, documents):
        paths.setdefault(path, {})[method] = documents[api]["paths"][inner][method]
    _remove_links(paths)
    known = {name: schema for document in documents.values() for name, schema in document["components"]["schemas"].items()}
    command_document = documents["command"]
    return {
        "openapi": command_document["openapi"],
        "info": {**command_document["info"], "title": gateway.name, "description": gateway.summary},
        "paths": paths,
        "components": {
            "schemas": {name: known[name] for name in sorted(_needed(paths, known))},
            "securitySchemes": command_document["components"]["securitySchemes"],
        },
    }


def _operations(gateway: Gateway, routes: Routes, documents: Mapping[Api, Any]) -> Iterator[tuple[Api, str, str, str]]:
    """Yields each operation of a gateway: its API, its path there and here, and its method."""
    for route in routes.all:
        path, inner = (compile_path(one)[1] for one in (route.path, route.inner))  # without the converters of parameters
        if inner in documents[route.api]["paths"]:
            yield route.api, path, inner, route.method.lower()
    if not gateway.only_paths:
        prefixes: Mapping[Api, str] = {"command": f"/commands/{gateway.system}/", "query": f"/views/{gateway.system}/"}
        for api, prefix in prefixes.items():
            for path, item in documents[api]["paths"].items():
                if path.startswith(prefix):
                    yield from ((api, path, path, method) for method in _METHODS if method in item)


def _with_other_names(document: dict[str, Any]) -> dict[str, Any]:
    """Returns a document whose schemas have names that the other one does not use: the two describe some names differently."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: f"{_SCHEMAS}Query.{inner.removeprefix(_SCHEMAS)}" if key == "$ref" else renamed(inner)
                for key, inner in value.items()
            }
        return [renamed(inner) for inner in value] if isinstance(value, list) else value

    changed: dict[str, Any] = renamed(document)
    schemas = changed["components"]["schemas"]
    return {**changed, "components": {"schemas": {f"Query.{name}": schema for name, schema in schemas.items()}}}


def _remove_links(paths: Mapping[str, Mapping[str, Any]]) -> None:
    """Removes the links to operations that the gateway does not have."""
    operations = [operation for item in paths.values() for operation in item.values()]
    ids = {operation.get("operationId") for operation in operations}
    for operation in operations:
        for response in operation["responses"].values():
            if links := response.pop("links", None):
                response["links"] = {name: link for name, link in links.items() if link.get("operationId") in ids}


def _needed(value: Any, known: Mapping[str, Any]) -> set[str]:
    """Returns the names of the schemas to which a value refers, directly or through others."""
    found: set[str] = set()
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
            name = str(one.get("$ref", "")).removeprefix(_SCHEMAS)
            if name in known and name not in found:
                found.add(name)
                left.append(known[name])
        elif isinstance(one, list):
            left += one
    return found
