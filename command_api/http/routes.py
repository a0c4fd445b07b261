"""Routes: every command under ``/commands/{system}/{command}``, and the paths of the systems' own."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from command_api.handling.activities import NO_EXPECTATION, ActivityContext
from command_api.handling.handler import CommandHandler
from command_api.handling.idempotency import command_id
from command_api.handling.validation import check_plain, validate_body, validate_command, validating
from command_api.http.accepting import Acceptance
from command_api.http.batch import BatchEndpoint, is_batch
from command_api.http.body import check_format, read_document
from command_api.http.gateway import CommandGateway
from command_api.http.paths import (
    AcceptedCommandPath,
    CommandPath,
    OwnPath,
    QuestionPath,
    UploadContext,
    UploadPath,
    answer_of,
    answer_of_accepted,
    location_of,
    receipt_as_json,
)
from command_api.http.preconditions import check_stated, expectation
from command_api.http.request import envelope_of
from schemas.catalog import Catalog
from schemas.consistency_token import ConsistencyToken
from schemas.envelope import CommandEnvelope, Receipt
from schemas.errors import Invalid, NotFound
from schemas.expected_version import ANY_VERSION, ExpectedVersion
from schemas.message import Command, Event
from schemas.system import ContextName
from streams.http.request_context import RequestContext, context_of
from streams.http.responses import JsonResponse
from streams.log.reading import ReadableLog, stream_events
from streams.log.stored_events import decode
from streams.security.access_control import AccessControl
from streams.security.uploads import Uploads
from streams.settings import Settings

_ANY = "/commands/{system}/{command}"
_IDEMPOTENCY_KEY, _COMMAND_ID = b"idempotency-key", b"x-command-id"


class CommandEndpoints:
    """Answers requests with receipts: access, limits, preconditions, body, then the handler."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        handler: CommandHandler,
        logs: Mapping[ContextName, ReadableLog],
        access: AccessControl,
        gateway: CommandGateway,
        acceptance: Acceptance,
        activity: ActivityContext,
    ) -> None:
        self._settings, self._catalog, self._handler, self._logs = settings, catalog, handler, logs
        self._access, self._gateway, self._acceptance = access, gateway, acceptance
        self._activity, self._uploads = activity, Uploads(settings.max_file_bytes)
        self._batches = BatchEndpoint(settings, handler, catalog)

    def routes(self, systems: Mapping[str, tuple[OwnPath, ...]]) -> Iterator[BaseRoute]:
        """Returns every path of commands and questions."""
        yield Route(_ANY, _Endpoint(self.any_command), methods=["POST"])
        by_path: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {}
        for path in (path for own in systems.values() for path in own):
            by_method = by_path.setdefault(path.path, {})
            match path:
                case CommandPath():
                    by_method[path.method] = partial(self._handle_command, path)
                case AcceptedCommandPath():
                    by_method[path.method] = partial(self._accept_command, path)
                case UploadPath():
                    by_method[path.method] = partial(self._receive_file, path)
                case QuestionPath():
                    by_method["POST"] = partial(self._answer_question, path)
        for name, by_method in by_path.items():
            yield Route(name, _Endpoint(partial(_by_method, by_method)), methods=list(by_method))

    async def any_command(self, request: Request) -> Response:
        """Handles the command that the path names."""
        system, name = request.path_params["system"], request.path_params["command"]
        try:
            command = self._open_command(system, name)
        except NotFound:
            await self._access.authenticate(context_of(request), _ANY)  # counted as one path, whichever names are tried
            raise
        path = CommandPath(request.scope["path"], command, lambda _, receipt, __: receipt_as_json(receipt))
        return await self._handle_command(path, request)

    def _open_command(self, system: str, name: str) -> type[Command]:
        _, command = self._catalog.command(system, name)
        if command.internal:
            raise NotFound(f"there is no command {name!r} in {system!r}")
        return command

    async def _handle_command(self, path: CommandPath, request: Request) -> Response:
        sent = await self._admit(path, request)
        if is_batch(sent) and path.translation is None:
            return await self._batches.answer(request, path.command, partial(self._access.limit_batch, sent, path.path))
        context = self._catalog.context_of(path.command)
        expected = _expected(sent)
        check_stated(self._catalog.context(context), expected)
        envelope = await self._read_command(path, request, sent)
        receipt = await self._handler.handle(envelope, expected=expected)
        events = await self._recorded(context, receipt) if path.with_events else ()
        answer = await answer_of(path, envelope.data, receipt, events, self._gateway)
        return _response(path.status, answer, receipt, context)

    async def _receive_file(self, path: UploadPath, request: Request) -> Response:
        sent = await self._admit(path, request)
        context = self._catalog.context_of(path.command)
        if _expected(sent) != ANY_VERSION:
            raise Invalid(NO_EXPECTATION)
        for command_class in path.makes:
            self._check_access(sent, command_class)
        parameters = validate_body(dict(request.query_params), path.parameters)
        check_format(sent.headers, path.media_types)
        id = _command_id(context, sent)
        async with self._uploads.received(request) as file:
            is_repeat = id in await self._handler.known(context, [id])
            upload = UploadContext(self._activity, sent.counted_as, id, is_repeat)
            command = check_plain(await path.receive(parameters, file, upload))
        made = path.makes[type(command)]
        receipt = await self._handler.handle(envelope_of(sent, command, id), is_known=is_repeat)
        events = await self._recorded(context, receipt) if path.with_events else ()
        answer = await answer_of(path, command, receipt, events, self._gateway)
        return _response(made.status, answer, receipt, context, path.location)

    async def _accept_command(self, path: AcceptedCommandPath, request: Request) -> Response:
        sent = await self._admit(path, request)
        expected, envelope = _expected(sent), await self._read_command(path, request, sent)
        is_new = sent.headers.keys().isdisjoint((_IDEMPOTENCY_KEY, _COMMAND_ID))
        accepted = await self._acceptance.accept(envelope, expected, is_new=is_new)
        headers = {"Command-Id": str(accepted.command_id)}
        if (location := location_of(path, accepted)) is not None:
            headers["Location"] = location
        if accepted.is_repeat:
            headers["Idempotent-Replayed"] = "true"
        return JsonResponse(answer_of_accepted(path, envelope.data, accepted), path.status, headers)

    async def _admit(self, path: CommandPath | AcceptedCommandPath | UploadPath, request: Request) -> RequestContext:
        """Returns the context of a request whose caller may send the path's command."""
        sent = context_of(request)
        sent.dialect = path.errors
        await self._access.authenticate(sent, path.path)
        self._check_access(sent, path.command)
        return sent

    async def _read_command(
        self, path: CommandPath | AcceptedCommandPath, request: Request, sent: RequestContext
    ) -> CommandEnvelope[Command]:
        """Returns the command of a request in its envelope; its caller may send it, also if it is not the path's own."""
        document = None
        if path.body is not None:
            document = await read_document(request, sent.headers, self._settings, path.media_types)
        command = _command(path, document, request.path_params)
        if type(command) is not path.command:
            self._check_access(sent, type(command))
        context = self._catalog.context_of(path.command)
        return envelope_of(sent, command, _command_id(context, sent))

    async def _answer_question(self, path: QuestionPath, request: Request) -> Response:
        sent = context_of(request)
        sent.dialect = path.errors
        await self._access.authenticate(sent, path.path)
        document = await read_document(request, sent.headers, self._settings, path.media_types)
        question = validate_body(document, path.body)
        answer = await path.answer(question, request, self._gateway)
        return JsonResponse(answer.model_dump(mode="json"))

    def _check_access(self, request: RequestContext, command: type[Command]) -> None:
        """Raises if the caller may not send commands of a class; a path with a translation may lead to several."""
        name = f"{self._catalog.context_of(command).system}.{command.message_name}"
        self._access.authorize(request, "command", name, command.command_access)

    async def _recorded(self, context: ContextName, receipt: Receipt) -> Sequence[Event]:
        """Returns the events that a command recorded in the stream that it is about."""
        limit = len(receipt.events)
        chunks = stream_events(self._logs[context], receipt.stream, max(0, receipt.version - limit), limit)
        recorded = [decode(row, context, self._catalog) async for rows in chunks for row in rows]
        return [one.data for one in recorded if one.metadata.command_id == receipt.command_id]


async def _by_method(by_method: Mapping[str, Callable[[Request], Awaitable[Response]]], request: Request) -> Response:
    """Answers a request of one of a path's methods: one route has them all, so that `Allow` lists them all."""
    return await by_method[request.method](request)


class _Endpoint:
    """An endpoint as an ASGI application: errors go straight to the application's handlers, through one layer less."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)


def _command_id(context: ContextName, request: RequestContext) -> UUID:
    return command_id(context, request.headers.get(_IDEMPOTENCY_KEY), request.headers.get(_COMMAND_ID))


def _expected(request: RequestContext) -> ExpectedVersion:
    return expectation(request.headers.get(b"if-match"), request.headers.get(b"if-none-match"))


def _command(path: CommandPath | AcceptedCommandPath, document: Any, parameters: Mapping[str, str]) -> Command:
    """Returns the command in a document, translated if its path has clients' words of its own."""
    if path.translation is None:
        command = validate_command(document, path.command)
    else:
        own = None if path.translation.body is None else validate_body(document, path.translation.body)
        with validating():
            command = path.translation.command(own, parameters)
    return check_plain(command)


def _response(
    status: int | None, answer: Mapping[str, Any], receipt: Receipt, context: ContextName, location: str | None = None
) -> Response:
    headers = {
        "ETag": f'"{receipt.version}"',
        "Consistency-Token": str(ConsistencyToken(context, receipt.partition, receipt.position)),
    }
    if location is not None:
        headers["Location"] = location.format(key=quote(receipt.key, safe=""))
    if receipt.repeated:
        headers["Idempotent-Replayed"] = "true"
    usual = 201 if receipt.began_stream else 200
    return JsonResponse(answer, status or usual, headers)
