"""The query API as an application: its parts, and what they are made of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from query_api.http.audit import AuditEndpoints
from query_api.http.index import IndexEndpoints
from query_api.http.openapi import TITLE, describe
from query_api.http.routes import QueryEndpoints
from query_api.http.schema_registry import SchemaRegistryEndpoints
from query_api.live.limits import ConnectionLimit
from query_api.live.live_views import LiveViews
from query_api.queries.command_gateway import CommandGateway
from query_api.queries.discovery import installed, installed_labels
from query_api.views.catalog_of_views import Views
from schemas.catalog import Catalog
from streams.asyncapi.document import describe_topics
from streams.bounded_processes import BoundedProcesses
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.encryption.subject_keys import SubjectKeys
from streams.http.documentation import documentation_routes
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.http.responses import JsonResponse
from streams.installation import Installation, integration_store
from streams.migrations.view_shapes import why_shapes_are_wrong
from streams.security.access_control import AccessControl
from streams.settings import Settings


def make_app(settings: Settings, catalog: Catalog) -> Starlette:
    """Returns the query API; raises `Misconfigured` for a system's query that cannot work."""
    databases = Databases("caudal_reader", settings.pool_size)
    installation = Installation(settings, catalog, databases)
    queries = installed(catalog)
    access_control = AccessControl(installation)
    views = Views(installation, access_control)
    processes = BoundedProcesses()
    limit = ConnectionLimit(settings.max_live_views)
    live, commands = LiveViews(limit, views), CommandGateway(catalog, CommandSender(settings, catalog))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        processes.close()
        await commands.close()
        await databases.close()

    async def views_in_reach() -> str | None:
        return await databases.out_of_reach(settings.view_dsn(context) for context, _ in catalog.views())

    async def view_shapes() -> str | None:
        return await why_shapes_are_wrong(installation)

    asyncapi = cache(lambda: describe_topics(settings, catalog))

    async def topics(_: Request) -> Response:
        return JsonResponse(asyncapi())

    return Starlette(
        routes=[
            *IndexEndpoints(catalog, access_control).routes(),
            *QueryEndpoints(
                *(views, live, commands, installed_labels(catalog), access_control),
                settings,
                SubjectKeys(settings, databases),
            ).routes(queries),
            *AuditEndpoints(installation, access_control, processes, limit).routes(),
            *SchemaRegistryEndpoints(integration_store(settings, databases), settings.schema_registry_url).routes(),
            *operations_routes({"views": views_in_reach, "view shapes": view_shapes}),
            Route("/asyncapi.json", topics),
            *documentation_routes(TITLE, lambda: describe(catalog, queries, access_control.effective)),
        ],
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
