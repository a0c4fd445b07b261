"""The command API as an application, and the parts that its process and the worker's share."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aggregates import system
from command_api.handling import activities as activity
from command_api.handling.activities import ActivityDependencies
from command_api.handling.handler import CommandHandler
from command_api.http import routes
from command_api.http.gateway import Desk
from command_api.http.openapi import TITLE, describe
from schemas.catalog import Catalog, ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.encryption.subject_keys import SubjectKeys
from streams.http.documentation import documentation_routes
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.http.responses import JsonResponse
from streams.installation import Installation
from streams.log.appending import AppendablePostgresLog
from streams.security.access_control import AccessControl
from streams.security.tokens import TokenIssuer
from streams.settings import Settings


def make_app(settings: Settings, catalog: Catalog) -> Starlette:
    """The command API: takes commands over HTTP."""
    databases = writer_databases(settings)
    logs = open_logs(settings, catalog, databases)
    handler = make_handler(settings, catalog, logs, databases)
    issuer = TokenIssuer(settings)
    desk = Desk(handler, SubjectKeys(settings, databases), issuer)
    access = AccessControl(Installation(settings, catalog, databases))
    endpoints = routes.CommandEndpoints(settings, catalog, handler, logs, access, desk)
    systems = routes.installed(catalog)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.gather(*(log.settle() for log in logs.values()))
        await databases.close()

    async def log_in_reach() -> str | None:
        return await databases.out_of_reach(settings.log_dsn(context) for context in catalog.contexts)

    async def public_keys(_: Request) -> Response:
        """The keys by which this deployment's own tokens are verified (RFC 7517)."""
        return JsonResponse(issuer.public_keys(), headers={"Cache-Control": "max-age=60"})

    return Starlette(
        routes=[
            *endpoints.routes(systems),
            Route("/.well-known/jwks.json", public_keys),
            *operations_routes({"log": log_in_reach}),
            *documentation_routes(TITLE, lambda: describe(catalog, systems)),
        ],
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )


def writer_databases(settings: Settings) -> Databases:
    """Connections in the role that may append, and nothing else."""
    return Databases("caudal_writer", settings.pool_size)


def open_logs(settings: Settings, catalog: Catalog, databases: Databases) -> Mapping[ContextName, AppendablePostgresLog]:
    """Every context's log, for appending."""
    return {
        name: AppendablePostgresLog(Store.of_log(databases, settings.log_dsn(name), name), name, context.partitions)
        for name, context in catalog.contexts.items()
    }


def make_handler(
    settings: Settings, catalog: Catalog, logs: Mapping[ContextName, AppendablePostgresLog], databases: Databases
) -> CommandHandler:
    """The handler of every installed system's commands."""
    return CommandHandler(
        catalog,
        system.installed(catalog),
        logs,
        outside=ActivityDependencies(settings, SubjectKeys(settings, databases), activity.installed(catalog)),
        conflict_retries=settings.conflict_retries,
        memory_bytes=settings.aggregate_memory_bytes,
    )
