"""Routes: every command under ``/commands/{system}/{command}``, and the paths that a system's clients know."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from command_api.handling.handler import CommandHandler
from command_api.http.batch import is_batch, take_batch
from command_api.http.body import check_plain, parse_body, parse_command, read_body, validating
from command_api.http.gateway import Desk
from command_api.http.preconditions import check_stated, expectation
from command_api.http.request import command_id, issued
from schemas.catalog import Catalog, ContextName
from schemas.consistency_token import ConsistencyToken
from schemas.envelope import Receipt
from schemas.errors import NotFound
from schemas.message import Command, Event
from streams.http.request_context import header
from streams.http.responses import JsonResponse
from streams.log.reading import ReadableLog
from streams.log.stored_events import decode
from streams.security.access_control import AccessControl
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Translation:
    """How clients of a path say a command in words of their own."""

    body: type[BaseModel]
    command: Callable[[Any, Mapping[str, str]], Command]
    """From the body and the path's parameters; raises `NotFound` where a parameter names nothing.

    It may say another command of the context than its route names, which the caller has to be allowed, too.
    """


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A path of a system's own for one command; what a package of your own registers as ``caudal.command_api``."""

    path: str
    command: type[Command]
    answer: Callable[[Receipt, Sequence[Event]], Mapping[str, Any]]
    """The body of the answer, as the system's clients know it: from the receipt, and what the command recorded."""
    method: str = "POST"
    says: Translation | None = None
    """How its clients say the command; without it the body is the command itself, and may be a batch of them."""
    tells_events: bool = False
    """Whether the answer needs what the command recorded in its own stream, which takes a look into the log."""


@dataclass(frozen=True, slots=True)
class QuestionRoute:
    """A path of a system's own that is answered with what the write side knows, and not with a receipt."""

    path: str
    body: type[BaseModel]
    answer: Callable[[Any, Request, Desk], Awaitable[BaseModel]]
    """From the body; may have commands handled for it."""
    reply: type[BaseModel]
    summary: str


OwnRoute = CommandRoute | QuestionRoute


def installed(catalog: Catalog) -> Mapping[str, tuple[OwnRoute, ...]]:
    """The paths of a catalog's systems, by their names."""
    return dict(catalog.registered("caudal.command_api"))


class CommandEndpoints:
    """Takes commands from requests, and answers with receipts."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        handler: CommandHandler,
        logs: Mapping[ContextName, ReadableLog],
        gate: AccessControl,
        desk: Desk,
    ) -> None:
        self._settings, self._catalog, self._handler, self._logs = settings, catalog, handler, logs
        self._gate, self._desk = gate, desk

    def routes(self, systems: Mapping[str, tuple[OwnRoute, ...]]) -> Iterator[BaseRoute]:
        """Every path under which a command is taken."""
        yield Route("/commands/{system}/{command}", _Endpoint(self.any_command), methods=["POST"])
        for own in systems.values():
            for route in own:
                if isinstance(route, CommandRoute):
                    yield Route(route.path, _Endpoint(self._taking(route)), methods=[route.method])
                else:
                    yield Route(route.path, _Endpoint(self._asking(route)), methods=["POST"])

    async def any_command(self, request: Request) -> Response:
        """Takes the command that the path names."""
        system, name = request.path_params["system"], request.path_params["command"]
        _, command = self._catalog.command(system, name)
        if command.internal:
            raise NotFound(f"there is no command {name!r} in {system!r}")
        return await self._take(request, CommandRoute(request.scope["path"], command, generic_answer))

    def _taking(self, route: CommandRoute) -> Callable[[Request], Awaitable[Response]]:
        async def take(request: Request) -> Response:
            return await self._take(request, route)

        return take

    def _asking(self, route: QuestionRoute) -> Callable[[Request], Awaitable[Response]]:
        async def ask(request: Request) -> Response:
            await self._gate.authenticate(request, route.path)
            body = await read_body(request, self._settings.max_body_bytes)
            said = parse_body(body, route.body, self._settings.max_body_depth)
            answer = await route.answer(said, request, self._desk)
            return JsonResponse(answer.model_dump(mode="json"))

        return ask

    async def _take(self, request: Request, route: CommandRoute) -> Response:
        context = self._catalog.context_of(route.command)
        await self._gate.authenticate(request, route.path)
        self._check(request, route.command)
        if is_batch(request) and route.says is None:
            further = partial(self._gate.limit, request, route.path)
            return await take_batch(request, self._settings, self._handler, self._catalog, route.command, further)
        expected = expectation(header(request, b"if-match"), header(request, b"if-none-match"))
        check_stated(self._catalog.context(context), expected)
        body = await read_body(request, self._settings.max_body_bytes)
        command = check_plain(self._command(route, body, request.path_params))
        if type(command) is not route.command:
            self._check(request, type(command))
        id = command_id(context, header(request, b"idempotency-key"), header(request, b"x-command-id"))
        receipt = await self._handler.handle(issued(request, command, id), expected=expected)
        events = await self._recorded(context, receipt) if route.tells_events else ()
        return _response(receipt, context, route.answer(receipt, events))

    def _check(self, request: Request, command: type[Command]) -> None:
        """Whether the caller may send commands of a class; a path that is said in words of its own may lead to several."""
        name = f"{self._catalog.context_of(command).system}.{command.message_name}"
        self._gate.authorize(request, "command", name, command.command_access)

    def _command(self, route: CommandRoute, body: bytes, path: Mapping[str, str]) -> Command:
        if route.says is None:
            return parse_command(body, route.command, self._settings.max_body_depth)
        said = parse_body(body, route.says.body, self._settings.max_body_depth)
        with validating():
            return route.says.command(said, path)

    async def _recorded(self, context: ContextName, receipt: Receipt) -> Sequence[Event]:
        """What a command recorded in the stream that it is about."""
        most = len(receipt.events)
        rows = await self._logs[context].read_stream(receipt.stream, max(0, receipt.version - most), most)
        recorded = [decode(row, context, self._catalog) for row in rows]
        return [one.data for one in recorded if one.metadata.command_id == receipt.command_id]


class _Endpoint:
    """An endpoint as an ASGI application: errors go straight to the application's handlers, through one layer less."""

    def __init__(self, take: Callable[[Request], Awaitable[Response]]) -> None:
        self._take = take

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._take(Request(scope, receive))
        await response(scope, receive, send)


def generic_answer(receipt: Receipt, _: Sequence[Event]) -> Mapping[str, Any]:
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
