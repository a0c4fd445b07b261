"""The OpenAPI document of the operations API."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import TypeAdapter

from deploy.operations.declared import OPERATIONS, READINGS
from deploy.operations.operation import Operation
from deploy.operations.reading import Reading
from deploy.operations.run_content import RunContent
from deploy.operations_api.routes import body_of
from schemas.errors import (
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Overloaded,
    Rejected,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    UnsupportedFormat,
)
from streams.http.documentation import document, problem_responses, security_of

TITLE = "Caudal: operations API"
_DESCRIPTION = """What `caudal` shows of an installation, and does to it: `caudal subject verb` is `/api/subject/verb`.

An operation is only tried, and its answer says what it would do, unless its body has `"apply": true`. One that is applied is
recorded in the log `engine.operations`: who, why, before and after. An operation that takes longer than five seconds is
answered with 202; it goes on, and `Location` is the address of its run."""
_ERRORS = (Unauthenticated, Forbidden, TooManyRequests, Invalid, NotFound, Unavailable, Overloaded)
_OF_THE_SERVER = (408, 421, 431, 500)
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "description": "Id of the run."}


def describe() -> dict[str, Any]:
    """Returns the document."""
    parts = _Parts()
    paths = dict(parts.paths())
    return document(TITLE, _DESCRIPTION, paths, schemas=parts.schemas)


class _Parts:
    """The parts of the document, and the schemas that they refer to."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def paths(self) -> Iterator[tuple[str, Any]]:
        """Yields each path with its one operation."""
        for operation in OPERATIONS.values():
            yield f"/api/{operation.name}", {"post": self._of_operation(operation)}
        for reading in READINGS.values():
            yield f"/api/{reading.name}", {"get": self._of_reading(reading)}
        run = self._run()
        one = _described("run", "runs", "A run: what it said so far, how far it is, and how it ended.", run)
        yield "/api/runs/{id}", {"get": {**one, "parameters": [_ID]}}
        live = _described("run_live", "runs", "A run at each change, as server-sent events, until it has ended.", run)
        live["responses"]["200"]["content"] = {"text/event-stream": {}}
        yield "/api/runs/{id}/live", {"get": {**live, "parameters": [_ID]}}

    def _of_operation(self, operation: Operation[Any]) -> dict[str, Any]:
        run = self._run()
        described = _described(_id(operation.name), _tag(operation.name), operation.summary, run)
        described["responses"] |= {
            **problem_responses((*_ERRORS, Malformed, TooLarge, UnsupportedFormat, Rejected), *_OF_THE_SERVER),
            "202": {**described["responses"]["200"], "description": "It goes on; `Location` is the address of its run."},
        }
        body = self._schema(TypeAdapter(body_of(operation)), "validation")
        return {
            **described,
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            **security_of(operation.access),
        }

    def _of_reading(self, reading: Reading[Any, Any]) -> dict[str, Any]:
        schema = self._schema(TypeAdapter(reading.parameters), "validation")
        parameters = [
            {"name": name, "in": "query", "schema": of, "description": of.get("description", "")}
            | ({"required": True} if name in schema.get("required", ()) else {})
            for name, of in schema.get("properties", {}).items()
        ]
        described = _described(_id(reading.name), _tag(reading.name), reading.summary, self._schema(reading.answer))
        return {**described, "parameters": parameters, **security_of(reading.access)}

    def _run(self) -> dict[str, Any]:
        """Returns a reference to the schema of a run, which several answers have."""
        self.schemas["Run"] = {**self._schema(TypeAdapter(RunContent)), "title": "Run"}
        return {"$ref": "#/components/schemas/Run"}

    def _schema(self, of: TypeAdapter[Any], mode: Literal["validation", "serialization"] = "serialization") -> dict[str, Any]:
        """Returns a schema, whose own parts become components of the document."""
        made = of.json_schema(mode=mode, ref_template="#/components/schemas/{model}")
        self.schemas |= made.pop("$defs", {})
        return made


def _described(operation_id: str, tag: str, summary: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": answer}}},
            **problem_responses(_ERRORS, *_OF_THE_SERVER),
        },
    }


def _id(name: str) -> str:
    return name.replace("/", "_").replace("-", "_")


def _tag(name: str) -> str:
    return name.partition("/")[0]
