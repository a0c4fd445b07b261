"""The command API as an application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from command_api.clock import CLOCK
from command_api.composition import make_handler, open_logs, writer_databases
from command_api.handling.activities import ActivityContext
from command_api.handling.passwords import Passwords
from command_api.http import accepting, paths, routes
from command_api.http.gateway import CommandGateway, SignIns
from command_api.http.openapi import TITLE, describe
from schemas.catalog import Catalog
from streams.bounded_processes import BoundedProcesses
from streams.commands.sender import CommandSender
from streams.discovery import declared_domains
from streams.encryption.subject_keys import SubjectKeys
from streams.http.documentation import documentation_routes
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.http.responses import JsonResponse
from streams.installation import Installation
from streams.security.access_control import AccessControl
from streams.security.sign_in_limits import SignInLimits
from streams.security.tokens import TokenIssuer
from streams.settings import Settings


def make_app(settings: Settings, catalog: Catalog) -> Starlette:
    """Returns the command API: commands over HTTP."""
    databases = writer_databases(settings)
    logs = open_logs(settings, catalog, databases)
    processes = BoundedProcesses()
    passwords = Passwords(settings.password_threads, settings.password_places)
    handler = make_handler(settings, catalog, logs, databases, processes, passwords)
    issuer = TokenIssuer(settings)
    sign_ins = SignIns(SignInLimits(settings, databases), passwords)
    keys = SubjectKeys(settings, databases)
    gateway = CommandGateway(handler, keys, issuer, sign_ins)
    access_control = AccessControl(Installation(settings, catalog, databases))
    sender = CommandSender(settings, catalog)
    acceptance = accepting.Acceptance(handler, sender)
    activity = ActivityContext(settings, keys, handler.load, processes)
    endpoints = routes.CommandEndpoints(settings, catalog, handler, logs, access_control, gateway, acceptance, activity)
    systems = paths.installed(catalog)
    accepting.check(catalog, systems, declared_domains(catalog))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            comparing = tasks.create_task(CLOCK.keep_compared(databases, settings.write_dsn))
            yield
            comparing.cancel()
        await asyncio.gather(*(log.drain() for log in logs.values()))
        await sender.close()
        processes.close()
        passwords.close()
        await databases.close()

    async def log_in_reach() -> str | None:
        return await databases.out_of_reach(settings.log_dsn(context) for context in catalog.contexts)

    async def public_keys(_: Request) -> Response:
        """Returns the keys that verify this deployment's own tokens (RFC 7517)."""
        return JsonResponse(issuer.public_keys(), headers={"Cache-Control": "max-age=60"})

    return Starlette(
        routes=[
            *endpoints.routes(systems),
            Route("/.well-known/jwks.json", public_keys),
            *operations_routes({"log": log_in_reach}),
            *documentation_routes(TITLE, lambda: describe(catalog, systems, access_control.effective)),
        ],
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
