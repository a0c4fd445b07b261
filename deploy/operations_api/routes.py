"""Routes of the operations API: ``/api/subject/verb``, as in ``caudal subject verb``.

A reading is a GET; an operation is a POST, which only says what it would do unless its body has ``"apply": true``.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import asdict
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, create_model
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from command_api.handling.validation import validate_body, validating
from command_api.http.body import read_document
from deploy.operations.declared import OPERATIONS, READINGS
from deploy.operations.installation import OpenInstallation
from deploy.operations.operation import Operation
from deploy.operations.reading import Reading
from deploy.operations.run import Parameters
from deploy.operations_api.runs import LiveRun, Runs
from schemas.access import Access
from schemas.engine.operations import Reason
from schemas.errors import Forbidden, Unauthenticated
from streams.http.request_context import caller_of, context_of
from streams.http.responses import JsonResponse
from streams.security.access_control import AccessControl, Endpoint

WAIT_SECONDS = 5.0
"""How long the answer to an operation waits for its end."""
_PING_SECONDS = 15
_EVERYONE = Access.to(*(role for one in OPERATIONS.values() for role in one.access.roles))
"""Everyone who may run an operation."""


class OrderBody(BaseModel):
    """The body of a request for an operation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parameters: Any
    reason: Reason = ""
    apply: bool = Field(default=False, description="Do it. Without this the answer only says what it would do.")


def body_of(operation: Operation[Any]) -> type[OrderBody]:
    """Returns the shape of the body of a request for an operation; parameters that all have defaults may be left out."""
    shape = operation.parameters
    default = ... if any(field.is_required() for field in shape.model_fields.values()) else shape()
    name = "".join(part.capitalize() for part in operation.name.replace("/", "-").split("-"))
    return create_model(f"{name}Order", __base__=OrderBody, parameters=(shape, default))


class OperationsEndpoints:
    """Answers operators."""

    def __init__(self, installation: OpenInstallation, access_control: AccessControl, runs: Runs) -> None:
        self._installation, self._access_control, self._runs = installation, access_control, runs

    def routes(self) -> Iterator[BaseRoute]:
        """Yields every route."""
        for operation in OPERATIONS.values():
            yield self._route(f"/api/{operation.name}", self._operation(operation), "POST")
        for reading in READINGS.values():
            yield self._route(f"/api/{reading.name}", self._reading(reading), "GET")
        yield self._route("/api/runs/{id}", self.run, "GET")
        yield self._route("/api/runs/{id}/live", self.live, "GET")

    def _route(self, path: str, endpoint: Endpoint, method: str) -> Route:
        return Route(path, self._access_control.protect(path, endpoint), methods=[method])

    def _operation(self, operation: Operation[Any]) -> Endpoint:
        body = body_of(operation)

        async def endpoint(request: Request) -> Response:
            actor = authorized(request, operation.access)
            document = await read_document(request, context_of(request).headers, self._installation.settings)
            with validating():
                order = body.model_validate_json(orjson.dumps(document), strict=True)
            run = self._runs.start(operation, order.parameters, actor, order.reason, apply=order.apply)
            await run.wait(WAIT_SECONDS)
            if run.error is not None:
                raise run.error
            status = 202 if run.is_running else 200
            return JsonResponse(asdict(run.content), status, {"Location": f"/api/runs/{run.content.id}"})

        return endpoint

    def _reading(self, reading: Reading[Any, Any]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            authorized(request, reading.access)
            parameters = validate_body(
                as_parameters(request.query_params.multi_items(), reading.parameters), reading.parameters
            )
            found = await reading.read(self._installation, parameters)
            return Response(reading.answer.dump_json(found) + b"\n", media_type=JsonResponse.media_type)

        return endpoint

    async def run(self, request: Request) -> Response:
        """Answers with a run: what it said so far, how far it is, and how it ended."""
        return JsonResponse(asdict(self._readable(request).content))

    async def live(self, request: Request) -> Response:
        """Streams a run at each change, as server-sent events, until it has ended."""
        run = self._readable(request)

        async def events() -> AsyncIterator[ServerSentEvent]:
            async for content in run.changes():
                yield ServerSentEvent(orjson.dumps(asdict(content), option=orjson.OPT_UTC_Z).decode(), event=content.state)

        return EventSourceResponse(events(), ping=_PING_SECONDS)

    def _readable(self, request: Request) -> LiveRun:
        """Returns a run to a caller who may run its operation; raises `NotFound` or `Forbidden`."""
        authorized(request, _EVERYONE)
        run = self._runs.of(request.path_params["id"])
        authorized(request, OPERATIONS[run.content.operation].access)
        return run


def authorized(request: Request, access: Access, what: str = "this") -> str:
    """Returns the subject of a caller who has the access to something; raises `Unauthenticated` or `Forbidden`."""
    caller = caller_of(request)
    if caller is None:
        raise Unauthenticated(had_token=False)
    if (why := access.why_not(caller)) is not None:
        raise Forbidden(f"{what} needs {why}")
    return caller.subject


def as_parameters(fields: Iterable[tuple[str, str]], shape: type[Parameters]) -> dict[str, Any]:
    """Returns the fields of a URL or of a form by name; of one that may be repeated, a list."""
    lists = {name for name, field in shape.model_fields.items() if "tuple" in str(field.annotation)}
    found: dict[str, Any] = {}
    for name, text in fields:
        if name in lists:
            found.setdefault(name, []).append(text)
        else:
            found[name] = text
    return found
