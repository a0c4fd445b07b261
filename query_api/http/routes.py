"""Routes: ``/views`` for every system, and the paths that a system's clients know."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from uuid_utils.compat import uuid7

from query_api.http.parameters import MAX, next_link
from query_api.live.feed import Audience, Feed, Watching
from query_api.views.consistency import Waits
from query_api.views.reader import Page, Query, ViewReader, parse_query
from query_api.views.row_access import Row, Shown
from schemas.catalog import Catalog, ContextName
from schemas.consistency_token import ConsistencyToken
from schemas.envelope import CommandEnvelope
from schemas.errors import Malformed, NotFound
from schemas.message import Command
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.database.store import Store
from streams.encryption.subject_keys import SubjectKeys
from streams.http.request_context import caller_of, correlation_id, counted_as
from streams.http.responses import JsonResponse
from streams.log.partitioning import partition_of
from streams.security.access_control import AccessControl, Endpoint
from streams.settings import Settings
from streams.subscriptions.checkpoints import Checkpoints
from streams.telemetry.tracing import current_traceparent


@dataclass(frozen=True, slots=True)
class QueryRoute:
    """A path of a system's own; what a package of your own registers as ``caudal.query_api``.

    ``answer`` gets the request and the `Views` and returns what is sent as JSON; a ``NotFound`` becomes a 404.
    """

    path: str
    view: str
    answer: Callable[[Request, "Views"], Awaitable["Answer"]]
    summary: str
    shows: type[BaseModel] | None = None
    """The shape of what is shown of a row; ``None``: the view's own."""
    one: bool = False
    """Whether it answers with one row, and not with a page of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON to be sent, and headers with it."""

    body: Any
    headers: Mapping[str, str]


def installed(catalog: Catalog) -> Mapping[str, tuple[QueryRoute, ...]]:
    """The paths of a catalog's systems, by their names."""
    return dict(catalog.registered("caudal.query_api"))


_LARGEST_PAGE = ("limit", str(MAX))


class Views:
    """Every view of the installed systems, read as consistently as the request asks for."""

    def __init__(
        self, settings: Settings, catalog: Catalog, databases: Databases, gate: AccessControl, sender: CommandSender
    ) -> None:
        self._catalog, self._gate, self._sender = catalog, gate, sender
        keys = SubjectKeys(settings, databases)
        self._shown: dict[tuple[str, str], Shown] = {}
        self._readers: dict[tuple[str, str], ViewReader] = {}
        self._waits: dict[tuple[str, str], Waits] = {}
        self._feeds: dict[tuple[str, str], Feed] = {}
        audience = Audience(settings.max_live_views)
        for home, view in catalog.views():
            at, name = (home.system, view.view_name), f"{home.system}.{view.view_name}"
            checkpoints = Checkpoints(Store.of_views(databases, settings.view_dsn(home), home), name)
            self._readers[at] = ViewReader(settings, databases, home, view)
            self._feeds[at] = Feed(self._readers[at], audience)
            self._shown[at] = Shown(view, keys)
            self._waits[at] = Waits(checkpoints, view.view_name, settings.max_consistency_wait_seconds)

    def generic(self, request: Request) -> tuple[str, str]:
        """The system and the view that a path under ``/views`` names; raises `NotFound`."""
        system, name = request.path_params["system"], request.path_params["view"]
        if self._catalog.view(system, name).view_own_paths_only:
            raise NotFound(f"the view {name!r} of {system!r} is read on the system's own paths")
        return system, name

    async def row(self, request: Request, system: str, view: str, key: str) -> Answer:
        """One row by its key, as whoever asks is shown it; raises `NotFound`, also for one that is not theirs to see."""
        reader = await self.reader(request, system, view)
        row = await reader.get(key)
        if row is None or not self._shown[system, view].is_for(caller_of(request), row):
            raise NotFound(f"the view {view} has no row {key!r}")
        return Answer((await self._shown[system, view].decrypted([row]))[0], {})

    async def rows(self, request: Request, system: str, view: str, *fixed: tuple[str, str]) -> Answer:
        """A page of rows by the request's filters and ``fixed`` ones, with the ``Link`` to the next."""
        reader = await self.reader(request, system, view)
        shown = self._shown[system, view]
        asked = parse_query([*request.query_params.multi_items(), *fixed])
        page: Page = await reader.page(replace(asked, owner=shown.owner(caller_of(request))))
        headers = {} if page.next is None else {"Link": next_link(request, page.next)}
        return Answer(await shown.decrypted(page.rows), headers)

    async def every_row(
        self, request: Request, system: str, view: str, write: ConsistencyToken, *fixed: tuple[str, str]
    ) -> list[Row]:
        """Every row that ``fixed`` filters let through and the caller is shown, once the view has seen a write."""
        self._check(request, system, view)
        reader, shown = await self.reader_once_seen(system, view, write), self._shown[system, view]
        found: list[Row] = []
        asked: Query | None = parse_query([*fixed, _LARGEST_PAGE])
        while asked is not None:
            page = await reader.page(replace(asked, owner=shown.owner(caller_of(request))))
            found += await shown.decrypted(page.rows)
            asked = None if page.next is None else parse_query([*fixed, _LARGEST_PAGE, ("after", page.next)])
        return found

    async def live(self, request: Request, system: str, view: str) -> Response:
        """A view's changes as they happen, as far as they are for whoever asks."""
        await self.reader(request, system, view)
        shown, caller = self._shown[system, view], caller_of(request)
        shown.owner(caller)

        async def show(rows: Sequence[Row]) -> list[Row]:
            return await shown.decrypted([row for row in rows if shown.is_for(caller, row)])

        until = float("inf") if caller is None or caller.expires_at is None else caller.expires_at
        return await self._feeds[system, view].follow(request, Watching(counted_as(request), show, until))

    async def send(self, request: Request, commands: Iterable[tuple[Command, str]]) -> None:
        """Sends commands, each with its key, in the name of whoever asks to their contexts' topics; raises `Unavailable`.

        They are kept by the broker when this returns, and handled soon after. Those of one key keep their order.
        """
        caller, at, traceparent = caller_of(request), datetime.now(UTC), current_traceparent()
        sent = [
            (
                self._catalog.context_of(type(command)),
                CommandEnvelope(
                    data=command,
                    id=uuid7(),
                    at=at,
                    correlation_id=correlation_id(request),
                    actor=None if caller is None else caller.subject,
                    traceparent=traceparent,
                ),
                key,
            )
            for command, key in commands
        ]
        await self._sender.send(sent)

    async def reader(self, request: Request, system: str, view: str) -> ViewReader:
        """The reader of a view that the caller may read, once it has seen what the request's consistency token names."""
        self._check(request, system, view)
        token = request.headers.get("consistency-token")
        if token is not None:
            write = ConsistencyToken.parse(token)
            if write.partition >= self._catalog.context(write.context).partitions:
                raise Malformed(f"the context {write.context} has no partition {write.partition}")
            return await self.reader_once_seen(system, view, write)
        return self._readers[system, view]

    def _check(self, request: Request, system: str, view: str) -> None:
        self._gate.authorize(request, "view", f"{system}.{view}", self._catalog.view(system, view).view_access)

    def token(self, context: ContextName, stream: str, position: int) -> ConsistencyToken:
        """Names the write of a stream's event."""
        partitions = self._catalog.context(context).partitions
        return ConsistencyToken(context, partition_of(stream, partitions), position)

    async def reader_once_seen(self, system: str, view: str, write: ConsistencyToken) -> ViewReader:
        """The reader of a view, once the view has seen a write; raises `NotYetSeen` after the longest wait."""
        await self._waits[system, view].until_seen(write)
        return self._readers[system, view]


class QueryEndpoints:
    """Answers queries."""

    def __init__(self, views: Views, gate: AccessControl) -> None:
        self._views, self._gate = views, gate

    def routes(self, systems: Mapping[str, tuple[QueryRoute, ...]]) -> Iterator[BaseRoute]:
        """Every path that can be read."""
        every: tuple[tuple[str, Endpoint], ...] = (
            ("/views/{system}/{view}", self.rows),
            ("/views/{system}/{view}/live", self.live),
            ("/views/{system}/{view}/{key:path}", self.row),
        )
        for path, endpoint in every:
            yield Route(path, self._gate.protect(path, endpoint))
        for own in systems.values():
            for route in own:
                yield Route(route.path, self._gate.protect(route.path, self._endpoint(route)))

    async def rows(self, request: Request) -> Response:
        """A page of a view."""
        return _response(await self._views.rows(request, *self._views.generic(request)))

    async def row(self, request: Request) -> Response:
        """One row of a view."""
        return _response(await self._views.row(request, *self._views.generic(request), request.path_params["key"]))

    async def live(self, request: Request) -> Response:
        """A view's changes as they happen."""
        return await self._views.live(request, *self._views.generic(request))

    def _endpoint(self, route: QueryRoute) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return _response(await route.answer(request, self._views))

        return endpoint


def _response(answer: Answer) -> Response:
    body = orjson.dumps(answer.body, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    return Response(body, headers=answer.headers, media_type=JsonResponse.media_type)
