"""The operations process as an application: the API and the page."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware

from command_api.composition import CommandIssuer
from deploy.console.endpoints import Endpoints
from deploy.operations.installation import OpenInstallation
from deploy.operations_api.openapi import TITLE, describe
from deploy.operations_api.routes import OperationsEndpoints
from deploy.operations_api.runs import Runs
from deploy.operations_page.page import OperatorPage
from schemas.catalog import Catalog
from streams.http.documentation import documentation_routes
from streams.http.health import operations_routes
from streams.http.middleware import Observed
from streams.http.problems import EXCEPTION_HANDLERS
from streams.security.access_control import AccessControl
from streams.settings import Settings


def make_app(settings: Settings, catalog: Catalog, *, stack: Callable[[], Endpoints | None]) -> Starlette:
    """Returns the operations API and the page of the installation that the settings lead to, or of a local stack."""
    installation = OpenInstallation(settings, stack)
    issuer = CommandIssuer(settings, installation.catalog)
    runs = Runs(installation, issuer)
    access_control = AccessControl(installation.within("caudal_reader"))
    page = OperatorPage(installation, access_control, runs)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        page.close()
        await runs.close()
        await issuer.close()
        await installation.close()

    async def databases_in_reach() -> str | None:
        databases = installation.within("caudal_reader").databases
        return await databases.out_of_reach(settings.log_dsn(context) for context in catalog.contexts)

    return Starlette(
        routes=[
            *OperationsEndpoints(installation, access_control, runs).routes(),
            *page.routes(),
            *operations_routes({"databases": databases_in_reach}),
            *documentation_routes(TITLE, describe),
        ],
        middleware=[Middleware(Observed)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
