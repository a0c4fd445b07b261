"""Routes of views: ``/views/{system}/{view}`` for every system, and the paths of each system's own queries."""

from collections.abc import AsyncIterator, Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from query_api.http.responses import json_response
from query_api.live.live_views import LiveViews
from query_api.queries.command_gateway import CommandGateway
from query_api.queries.context import Answer, QueryContext
from query_api.queries.question import OwnQuery
from query_api.queries.saga_labels import SagaLabels
from query_api.views.catalog_of_views import Views
from schemas.view import View
from streams.encryption.subject_keys import SubjectKeys
from streams.http.request_context import context_of
from streams.security.access_control import AccessControl, Endpoint
from streams.settings import Settings


class QueryEndpoints:
    """Answers queries of views."""

    def __init__(
        self,
        views: Views,
        live: LiveViews,
        commands: CommandGateway,
        saga_labels: Mapping[str, SagaLabels],
        access_control: AccessControl,
        settings: Settings,
        keys: SubjectKeys,
    ) -> None:
        self._settings, self._keys = settings, keys
        self._views, self._live, self._access_control = views, live, access_control
        self._commands, self._saga_labels = commands, saga_labels

    def routes(self, queries: Mapping[str, tuple[OwnQuery, ...]]) -> Iterator[BaseRoute]:
        """Yields the routes of every view, then those of the systems' own queries."""
        of_views: tuple[tuple[str, Endpoint], ...] = (
            ("/views/{system}/{view}", self.page),
            ("/views/{system}/{view}/live", self.live),
            ("/views/{system}/{view}/{key:path}", self.row),
        )
        for path, endpoint in of_views:
            yield Route(path, self._access_control.protect(path, endpoint))
        for query in (query for declared in queries.values() for query in declared):
            yield Route(query.path, self._endpoint(query))

    async def page(self, request: Request) -> Response:
        """Answers with a page of a view."""
        page = await self._views.page(request, self._view(request))
        return _response(self._context(request).page(page))

    async def row(self, request: Request) -> Response:
        """Answers with one row of a view."""
        return json_response(await self._views.row(request, self._view(request), request.path_params["key"]))

    async def live(self, request: Request) -> Response:
        """Answers with the changes of a view, as long as the client listens."""
        return await self._live.follow(request, self._view(request))

    def _endpoint(self, query: OwnQuery) -> Endpoint:
        async def answer(request: Request) -> Response:
            return _response(await query.answer(self._context(request)))

        protected = self._access_control.protect(query.path, answer)

        async def endpoint(request: Request) -> Response:
            context_of(request).dialect = query.errors
            return await protected(request)

        return endpoint

    def _context(self, request: Request) -> QueryContext:
        return QueryContext(request, self._views, self._commands, self._saga_labels, self._settings, self._keys)

    def _view(self, request: Request) -> type[View]:
        return self._views.named(request.path_params["system"], request.path_params["view"])


def _response(answer: Answer) -> Response:
    if isinstance(answer.body, AsyncIterator):
        return StreamingResponse(answer.body, headers=answer.headers, media_type=answer.media_type)
    if answer.media_type is not None:
        return Response(answer.body, headers=answer.headers, media_type=answer.media_type)
    return json_response(answer.body, answer.headers)
