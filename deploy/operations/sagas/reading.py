"""Reading of sagas: rows of their views, steps from their log, and their ids by a prefix."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from aggregates.sagas.definition import SagaDefinition
from aggregates.system import with_sagas
from deploy.console.printing import full_id
from deploy.operations.installation import OpenInstallation
from deploy.operations.run import Parameters
from query_api.views.page_request import parse_page_request
from query_api.views.reader import ViewReader
from schemas.catalog import Catalog
from schemas.engine.saga_views import Sagas
from schemas.engine.sagas import CONTEXT, SagaAdvanced, stream_of
from schemas.envelope import RecordedEvent
from schemas.system import ENGINE, ContextName
from streams.discovery import declared_domains
from streams.installation import Installation
from streams.log.reading import PostgresLog, stream_events
from streams.log.stored_events import decode

HOME = ContextName(ENGINE, CONTEXT)
SagaContent = Annotated[dict[str, Any], AfterValidator(lambda row: Sagas.model_validate(row).model_dump())]
"""A row of the view ``engine.sagas``, which is read from JSON as well."""
_PAGE = 1000
_AFTER_EVERY_DIGIT = "g"
"""Ids are hexadecimal: an id with a prefix is below the prefix with this letter."""


class OneSaga(Parameters):
    """One saga."""

    saga_id: str = Field(description="Its id, or a beginning of it that only this saga has.")


async def saga_rows(installation: Installation, filters: Sequence[tuple[str, str]] = ()) -> list[dict[str, Any]]:
    """Returns every row of the view ``engine.sagas`` that meets the filters."""
    reader = ViewReader(installation.view_store(HOME), HOME, Sagas)
    found: list[dict[str, Any]] = []
    after: list[tuple[str, str]] | None = []
    while after is not None:
        page = await reader.page(parse_page_request([*filters, ("limit", str(_PAGE)), *after]))
        found += [dict(row) for row in page.rows]
        after = None if page.next is None else [("after", page.next)]
    return found


async def saga_row(installation: OpenInstallation, short_id: str) -> dict[str, Any]:
    """Returns the row of the one saga whose id begins with a text; raises `NotFound`."""
    bounds = [("saga_id[gte]", short_id), ("saga_id[lt]", short_id + _AFTER_EVERY_DIGIT)]
    rows = {row["saga_id"]: row for row in await saga_rows(installation.within("caudal_reader"), bounds)}
    return rows[full_id(short_id, rows.keys(), "saga", "caudal sagas list --all")]


async def saga_steps(installation: OpenInstallation, saga_id: str) -> list[RecordedEvent[SagaAdvanced]]:
    """Returns the steps of a saga, oldest first, as its log holds them."""
    log = PostgresLog(installation.within("caudal_reader").log_store(HOME), HOME)
    steps: list[RecordedEvent[Any]] = []
    async for rows in stream_events(log, stream_of(saga_id)):
        steps += [decode(row, HOME, installation.catalog) for row in rows]
    return steps


def definitions(catalog: Catalog) -> dict[str, SagaDefinition[Any]]:
    """Returns the saga definitions of the installed systems by their full names: ``system.name``."""
    domains = with_sagas(declared_domains(catalog), catalog)
    return {definition.full_name: definition for domain in domains.values() for definition in domain.sagas}


def may_wait_indefinitely(catalog: Catalog) -> frozenset[str]:
    """Returns the full names of the definitions whose sagas may wait for events indefinitely."""
    return frozenset(name for name, definition in definitions(catalog).items() if definition.may_wait_indefinitely)
