"""Indexes of what can be read: ``/views`` and ``/audit``, and the same for one system.

An index names everything that is installed, as the OpenAPI document does. Access is checked when a view or a log is read.
"""

from collections.abc import Iterator

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from query_api.http.parameters import Parameters
from query_api.http.responses import json_response
from query_api.views.catalog_of_views import summary_of
from schemas.catalog import Catalog
from schemas.errors import NotFound
from streams.security.access_control import AccessControl, Endpoint


class IndexedView(BaseModel):
    """A view in the index."""

    system: str
    view: str
    summary: str
    path: str = Field(description="Where its rows are read; a row is at this path and its key.")
    live: str = Field(description="Where its changes are sent as server-sent events.")
    key: str = Field(description="The field that is the key of a row.")


class IndexedLog(BaseModel):
    """The log of a bounded context in the index."""

    system: str
    context: str
    summary: str
    path: str = Field(description="Where its events are read.")
    events: list[str] = Field(description="The types of its events.")


class IndexEndpoints:
    """Lists views and logs."""

    def __init__(self, catalog: Catalog, access_control: AccessControl) -> None:
        self._catalog, self._access_control = catalog, access_control

    def routes(self) -> Iterator[BaseRoute]:
        """Yields the routes of the indexes."""
        endpoints: tuple[tuple[str, Endpoint], ...] = (
            ("/views", self.views),
            ("/views/{system}", self.views),
            ("/audit", self.logs),
            ("/audit/{system}", self.logs),
        )
        for path, endpoint in endpoints:
            yield Route(path, self._access_control.protect(path, endpoint))

    async def views(self, request: Request) -> Response:
        """Answers with the views that are read under ``/views``; raises `NotFound` for an unknown system."""
        system = self._system(request)
        return json_response([one for one in indexed_views(self._catalog) if system in (None, one.system)])

    async def logs(self, request: Request) -> Response:
        """Answers with the logs that the audit shows; raises `NotFound` for an unknown system."""
        system = self._system(request)
        return json_response([one for one in indexed_logs(self._catalog) if system in (None, one.system)])

    def _system(self, request: Request) -> str | None:
        Parameters(request)
        system: str | None = request.path_params.get("system")
        if system is not None and system not in self._catalog.systems:
            raise NotFound(f"there is no system {system!r}; installed are {', '.join(sorted(self._catalog.systems))}")
        return system


def indexed_views(catalog: Catalog) -> Iterator[IndexedView]:
    """Yields every view that is read under ``/views``."""
    for home, view in catalog.views():
        if not view.view_own_paths_only:
            path = f"/views/{home.system}/{view.view_name}"
            yield IndexedView(
                system=home.system,
                view=view.view_name,
                summary=summary_of(view),
                path=path,
                live=f"{path}/live",
                key=view.view_key,
            )


def indexed_logs(catalog: Catalog) -> Iterator[IndexedLog]:
    """Yields the log of every context."""
    for name, context in catalog.contexts.items():
        types = [event.message_name for event in context.events]
        yield IndexedLog(
            system=name.system,
            context=name.context,
            summary=f"The events of {name}.",
            path=f"/audit/{name.system}/{name.context}/events",
            events=types,
        )
