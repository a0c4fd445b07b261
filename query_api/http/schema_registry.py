"""A read-only schema registry: what Confluent's clients ask in order to read the records of integration topics.

It shows the schemas that ``caudal migrate`` registered, from the database. It registers none: that is the migration's part.
"""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from streams.database.store import Store
from streams.http.bodies import read_limited
from streams.integration_topics.registry import BACKWARD, OwnRegistry, RegisteredSchema

PREFIX = "/schema-registry"
_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_MAX_BYTES = 1024 * 1024
_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA = 40401, 40402, 40403
_READ_ONLY = 42205
"""Codes of errors, as the API defines them."""


class SchemaRegistryEndpoints:
    """Answers readers of integration topics."""

    def __init__(self, store: Store, url: str) -> None:
        """``url`` is that of the registry that registered the schemas, empty for this deployment's own."""
        self._registry = OwnRegistry(store, url)

    def routes(self) -> list[BaseRoute]:
        """Returns every path, all under `PREFIX`."""
        return [Mount(PREFIX, routes=self._below())]

    def _below(self) -> list[Route]:
        return [
            Route("/", self.subjects),
            Route("/subjects", self.subjects),
            Route("/subjects/{subject}", self.look_up, methods=["POST"]),
            Route("/subjects/{subject}/versions", self.versions),
            Route("/subjects/{subject}/versions", self.register, methods=["POST"]),
            Route("/subjects/{subject}/versions/{version}", self.version),
            Route("/subjects/{subject}/versions/{version}/schema", self.definition),
            Route("/schemas/ids/{id:int}", self.by_id),
            Route("/schemas/ids/{id:int}/schema", self.definition_by_id),
            Route("/schemas/ids/{id:int}/versions", self.uses),
            Route("/schemas/types", self.types),
            Route("/config", self.compatibility),
            Route("/config/{subject}", self.compatibility),
            Route("/mode", self.mode),
        ]

    async def subjects(self, _: Request) -> Response:
        """Answers with the names of the subjects."""
        return _json(sorted({one.subject for one in await self._registry.schemas()}))

    async def versions(self, request: Request) -> Response:
        """Answers with the versions of a subject."""
        found = await self._of(request)
        return _json([one.version for one in found]) if found else _error(_NO_SUBJECT, "Subject not found.")

    async def version(self, request: Request) -> Response:
        """Answers with one version of a subject, or with the latest one."""
        return await self._one_version(request, _shown)

    async def definition(self, request: Request) -> Response:
        """Answers with the schema itself."""
        return await self._one_version(request, lambda one: orjson.loads(one.definition))

    async def look_up(self, request: Request) -> Response:
        """Answers with the version of a subject that has the schema in the body."""
        found = await self._of(request)
        if not found:
            return _error(_NO_SUBJECT, "Subject not found.")
        try:
            wanted = orjson.loads(orjson.loads(await read_limited(request, _MAX_BYTES))["schema"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return _error(42201, "The body has no valid schema.", 422)
        equal = next((one for one in found if orjson.loads(one.definition) == wanted), None)
        return _json(_shown(equal)) if equal is not None else _error(_NO_SCHEMA, "Schema not found.")

    async def register(self, request: Request) -> Response:
        """Answers with the id of a schema that is registered already: others are not registered here."""
        answer = await self.look_up(request)
        if answer.status_code == 404:
            subject = request.path_params["subject"]
            return _error(_READ_ONLY, f"Subject {subject} is read-only: use a schema that it has (use.latest.version).", 422)
        return answer

    async def by_id(self, request: Request) -> Response:
        """Answers with the schema with an id, as text."""
        return await self._with_id(request, lambda one: {"schema": one.definition})

    async def definition_by_id(self, request: Request) -> Response:
        """Answers with the schema with an id."""
        return await self._with_id(request, lambda one: orjson.loads(one.definition))

    async def uses(self, request: Request) -> Response:
        """Answers with the subject and the version that has an id."""
        return await self._with_id(request, lambda one: [{"subject": one.subject, "version": one.version}])

    async def types(self, _: Request) -> Response:
        """Answers with the types of schemas."""
        return _json(["AVRO"])

    async def compatibility(self, _: Request) -> Response:
        """Answers with the compatibility that new schemas need."""
        return _json({"compatibilityLevel": BACKWARD})

    async def mode(self, _: Request) -> Response:
        """Answers that nothing can be written."""
        return _json({"mode": "READONLY"})

    async def _of(self, request: Request) -> Sequence[RegisteredSchema]:
        return [one for one in await self._registry.schemas() if one.subject == request.path_params["subject"]]

    async def _one_version(self, request: Request, show: Callable[[RegisteredSchema], Any]) -> Response:
        found, wanted = await self._of(request), request.path_params["version"]
        if not found:
            return _error(_NO_SUBJECT, "Subject not found.")
        one = found[-1] if wanted in ("latest", "-1") else next((one for one in found if str(one.version) == wanted), None)
        return _json(show(one)) if one is not None else _error(_NO_VERSION, "Version not found.")

    async def _with_id(self, request: Request, show: Callable[[RegisteredSchema], Any]) -> Response:
        wanted = request.path_params["id"]
        one = next((one for one in await self._registry.schemas() if one.id == wanted), None)
        return _json(show(one)) if one is not None else _error(_NO_SCHEMA, "Schema not found.")


def _shown(one: RegisteredSchema) -> dict[str, Any]:
    return {"subject": one.subject, "version": one.version, "id": one.id, "schema": one.definition}


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type=_MEDIA_TYPE)


def _error(code: int, message: str, status: int = 404) -> Response:
    return _json({"error_code": code, "message": message}, status)
