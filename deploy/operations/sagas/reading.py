"""Reading of sagas: rows of their views, steps from their log, and their ids by a prefix."""

from collections.abc import Sequence
from typing import Any

from aggregates.sagas.definition import SagaDefinition
from aggregates.system import with_sagas
from deploy.console.printing import full_id
from query_api.views.page_request import parse_page_request
from query_api.views.reader import ViewReader
from schemas.catalog import Catalog
from schemas.engine.saga_views import Sagas
from schemas.engine.sagas import CONTEXT, SagaAdvanced, stream_of
from schemas.envelope import RecordedEvent
from schemas.system import ENGINE, ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import declared_domains
from streams.log.reading import PostgresLog, stream_events
from streams.log.stored_events import decode
from streams.settings import Settings

HOME = ContextName(ENGINE, CONTEXT)
_PAGE = 1000
_AFTER_EVERY_DIGIT = "g"
"""Ids are hexadecimal: an id with a prefix is below the prefix with this letter."""


async def saga_rows(settings: Settings, databases: Databases, filters: Sequence[tuple[str, str]] = ()) -> list[dict[str, Any]]:
    """Returns every row of the view ``engine.sagas`` that meets the filters."""
    reader = ViewReader(Store.of_views(databases, settings.view_dsn(HOME), HOME), HOME, Sagas)
    found: list[dict[str, Any]] = []
    after: list[tuple[str, str]] | None = []
    while after is not None:
        page = await reader.page(parse_page_request([*filters, ("limit", str(_PAGE)), *after]))
        found += [dict(row) for row in page.rows]
        after = None if page.next is None else [("after", page.next)]
    return found


async def saga_row(settings: Settings, databases: Databases, short_id: str) -> dict[str, Any]:
    """Returns the row of the one saga whose id begins with a text; raises `NotFound`."""
    bounds = [("saga_id[gte]", short_id), ("saga_id[lt]", short_id + _AFTER_EVERY_DIGIT)]
    rows = {row["saga_id"]: row for row in await saga_rows(settings, databases, bounds)}
    return rows[full_id(short_id, rows.keys(), "saga", "caudal sagas list --all")]


async def saga_steps(
    settings: Settings, catalog: Catalog, databases: Databases, saga_id: str
) -> list[RecordedEvent[SagaAdvanced]]:
    """Returns the steps of a saga, oldest first, as its log holds them."""
    log = PostgresLog(Store.of_log(databases, settings.log_dsn(HOME), HOME), HOME)
    steps: list[RecordedEvent[Any]] = []
    async for rows in stream_events(log, stream_of(saga_id)):
        steps += [decode(row, HOME, catalog) for row in rows]
    return steps


def definitions(catalog: Catalog) -> dict[str, SagaDefinition[Any]]:
    """Returns the saga definitions of the installed systems by their full names: ``system.name``."""
    domains = with_sagas(declared_domains(catalog), catalog)
    return {definition.full_name: definition for domain in domains.values() for definition in domain.sagas}


def may_wait_indefinitely(catalog: Catalog) -> frozenset[str]:
    """Returns the full names of the definitions whose sagas may wait for events indefinitely."""
    return frozenset(name for name, definition in definitions(catalog).items() if definition.may_wait_indefinitely)
