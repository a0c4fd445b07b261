"""Routes: ``/views`` for every system, and the paths that a system's clients know."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from query_api.consistency import Waits
from query_api.live import follow
from query_api.parameters import next_link
from query_api.views import Page, ViewReader, parse_query
from schemas.catalog import Catalog, registered
from schemas.errors import Malformed, NotFound
from schemas.token import ConsistencyToken
from streams.checkpoints import Checkpoints
from streams.http import JsonResponse
from streams.postgres import Databases, views_schema
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class QueryRoute:
    """A path of a system's own; what a package of your own registers as ``caudal.query_api``.

    ``answer`` gets the request and the `Views` and returns what is sent as JSON; a ``NotFound`` becomes a 404.
    """

    path: str
    view: str
    answer: Callable[[Request, "Views"], Awaitable["Answer"]]
    summary: str


@dataclass(frozen=True, slots=True)
class Answer:
    """JSON to be sent, and headers with it."""

    body: Any
    headers: Mapping[str, str]


def installed() -> Mapping[str, tuple[QueryRoute, ...]]:
    """The paths of every installed system, by its name."""
    return dict(registered("caudal.query_api"))


class Views:
    """Every view of the installed systems, read as consistently as the request asks for."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        self._catalog = catalog
        self._readers: dict[tuple[str, str], ViewReader] = {}
        self._waits: dict[tuple[str, str], Waits] = {}
        for home, view in catalog.views():
            at, name = (home.system, view.view_name), f"{home.system}.{view.view_name}"
            checkpoints = Checkpoints(databases, settings.view_dsn(home), views_schema(home), name)
            self._readers[at] = ViewReader(settings, databases, home, view)
            self._waits[at] = Waits(checkpoints, view.view_name, settings.max_wait_seconds)

    async def row(self, request: Request, system: str, view: str, key: str) -> Answer:
        """One row by its key; raises `NotFound`."""
        reader = await self.reader(request, system, view)
        row = await reader.get(key)
        if row is None:
            raise NotFound(f"the view {view} has no row {key!r}")
        return Answer(dict(row), {})

    async def rows(self, request: Request, system: str, view: str, *fixed: tuple[str, str]) -> Answer:
        """A page of rows by the request's filters and ``fixed`` ones, with the ``Link`` to the next."""
        reader = await self.reader(request, system, view)
        asked = list(request.query_params.multi_items())
        page: Page = await reader.page(parse_query([*asked, *fixed]))
        headers = {} if page.next is None else {"Link": next_link(request, page.next)}
        return Answer([dict(row) for row in page.rows], headers)

    async def reader(self, request: Request, system: str, view: str) -> ViewReader:
        """The reader of a view, once the view has seen what the request's consistency token names."""
        self._catalog.view(system, view)
        token = request.headers.get("consistency-token")
        if token is not None:
            write = ConsistencyToken.parse(token)
            if write.partition >= self._catalog.context(write.context).partitions:
                raise Malformed(f"the context {write.context} has no partition {write.partition}")
            await self._waits[system, view].until_seen(write)
        return self._readers[system, view]


class QueryEndpoints:
    """Answers queries."""

    def __init__(self, views: Views) -> None:
        self._views = views

    def routes(self, systems: Mapping[str, tuple[QueryRoute, ...]]) -> Iterator[BaseRoute]:
        """Every path that can be read."""
        yield Route("/views/{system}/{view}", self.rows)
        yield Route("/views/{system}/{view}/live", self.live)
        yield Route("/views/{system}/{view}/{key:path}", self.row)
        for own in systems.values():
            for route in own:
                yield Route(route.path, self._endpoint(route))

    async def rows(self, request: Request) -> Response:
        """A page of a view."""
        return _response(await self._views.rows(request, request.path_params["system"], request.path_params["view"]))

    async def row(self, request: Request) -> Response:
        """One row of a view."""
        path = request.path_params
        return _response(await self._views.row(request, path["system"], path["view"], path["key"]))

    async def live(self, request: Request) -> Response:
        """A view's changes as they happen."""
        path = request.path_params
        return await follow(request, await self._views.reader(request, path["system"], path["view"]))

    def _endpoint(self, route: QueryRoute) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return _response(await route.answer(request, self._views))

        return endpoint


def _response(answer: Answer) -> Response:
    body = orjson.dumps(answer.body, default=str, option=orjson.OPT_UTC_Z)
    return Response(body, headers=answer.headers, media_type=JsonResponse.media_type)
