"""Routes: every command under ``/commands/{system}/{command}``, and the paths that a system's clients know."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from command_api.batch import is_batch, take_batch
from command_api.body import parse_command, read_body
from command_api.handler import CommandHandler, now
from command_api.identity import actor, command_id, traceparent
from command_api.preconditions import check_stated, expectation
from schemas.catalog import Catalog, ContextName, registered
from schemas.envelope import Issued, Receipt
from schemas.message import Command
from schemas.token import ConsistencyToken
from streams.http import JsonResponse, correlation_id, header
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A path of a system's own for one command; what a package of your own registers as ``caudal.command_api``."""

    path: str
    command: type[Command]
    answer: Callable[[Receipt], Mapping[str, Any]]
    """The body of the answer, as the system's clients know it."""
    method: str = "POST"


def installed() -> Mapping[str, tuple[CommandRoute, ...]]:
    """The paths of every installed system, by its name."""
    return dict(registered("caudal.command_api"))


Answer = Callable[[Receipt], Mapping[str, Any]]


class CommandEndpoints:
    """Takes commands from requests, and answers with receipts."""

    def __init__(self, settings: Settings, catalog: Catalog, handler: CommandHandler) -> None:
        self._settings, self._catalog, self._handler = settings, catalog, handler

    def routes(self, systems: Mapping[str, tuple[CommandRoute, ...]]) -> Iterator[BaseRoute]:
        """Every path under which a command is taken."""
        yield Route("/commands/{system}/{command}", _Endpoint(self.any_command), methods=["POST"])
        for own in systems.values():
            for route in own:
                yield Route(route.path, _Endpoint(self._taking(route)), methods=[route.method])

    async def any_command(self, request: Request) -> Response:
        """Takes the command that the path names."""
        _, command = self._catalog.command(request.path_params["system"], request.path_params["command"])
        return await self._take(request, command, generic_answer)

    def _taking(self, route: CommandRoute) -> Callable[[Request], Awaitable[Response]]:
        async def take(request: Request) -> Response:
            return await self._take(request, route.command, route.answer)

        return take

    async def _take(self, request: Request, command_class: type[Command], answer: Answer) -> Response:
        context = self._catalog.context_of(command_class)
        if is_batch(request):
            return await take_batch(request, self._settings, self._handler, self._catalog, command_class)
        expected = expectation(header(request, b"if-match"), header(request, b"if-none-match"))
        check_stated(self._catalog.context(context), expected)
        body = await read_body(request, self._settings.max_body_bytes)
        issued = Issued(
            command=parse_command(body, command_class, self._settings.max_depth),
            id=command_id(context, header(request, b"idempotency-key"), header(request, b"x-command-id")),
            at=now(),
            correlation_id=correlation_id(request),
            actor=actor(request),
            traceparent=traceparent(request),
        )
        receipt = await self._handler.handle(issued, expected=expected)
        return _response(receipt, context, answer(receipt))


class _Endpoint:
    """An endpoint as an ASGI application: errors go straight to the application's handlers, through one layer less."""

    def __init__(self, take: Callable[[Request], Awaitable[Response]]) -> None:
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._take(Request(scope, receive))
        await response(scope, receive, send)


def generic_answer(receipt: Receipt) -> Mapping[str, Any]:
    """The body of the answer to a command: what it did, and where."""
    return {
        "command_id": str(receipt.command_id),
        "stream": receipt.stream,
        "version": receipt.version,
        "position": receipt.position,
        "events": list(receipt.events),
    }


def _response(receipt: Receipt, context: ContextName, body: Mapping[str, Any]) -> Response:
    headers = {
        "ETag": f'"{receipt.version}"',
        "Consistency-Token": str(ConsistencyToken(context, receipt.partition, receipt.position)),
    }
    if receipt.repeated:
        headers["Idempotent-Replayed"] = "true"
    return JsonResponse(body, 201 if receipt.began_stream else 200, headers)
