"""The query API as an application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware

from query_api.http import routes
from query_api.http.audit import AuditEndpoints
from query_api.http.openapi import TITLE, describe
from schemas.catalog import Catalog
from streams.commands.sender import CommandSender
from streams.database.pools import Databases
from streams.http.documentation import documentation_routes
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.installation import Installation
from streams.security.access_control import AccessControl
from streams.settings import Settings


def make_app(settings: Settings, catalog: Catalog) -> Starlette:
    """The query API: answers from views, and shows the history behind them."""
    databases = Databases("caudal_reader", settings.pool_size)
    systems = routes.installed(catalog)
    gate, sender = AccessControl(Installation(settings, catalog, databases)), CommandSender(settings, catalog)
    views = routes.Views(settings, catalog, databases, gate, sender)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await sender.close()
        await databases.close()

    async def views_in_reach() -> str | None:
        return await databases.out_of_reach(settings.view_dsn(context) for context, _ in catalog.views())

    return Starlette(
        routes=[
            *routes.QueryEndpoints(views, gate).routes(systems),
            *AuditEndpoints(settings, catalog, databases, gate).routes(),
            *operations_routes({"views": views_in_reach}),
            *documentation_routes(TITLE, lambda: describe(catalog, systems)),
        ],
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
