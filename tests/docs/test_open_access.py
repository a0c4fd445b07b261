"""The table in docs/security.md of what needs no token names what the profile `seed` opens, and nothing else."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from command_api.app import make_app as make_command_api
from command_api.http import paths
from command_api.http.paths import QuestionPath
from query_api.app import make_app as make_query_api
from query_api.queries import discovery as queries
from query_api.queries.query import Query
from query_api.queries.question import Question
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.system import ENGINE
from streams.discovery import installed_catalog
from streams.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
SYSTEMS = [
    "clinical_lab",
    "data_ingestion",
    "flight_reservations",
    "health_subscriptions",
    "medical_datasets",
    "partner_alliances",
]
_OF_SYSTEMS = ("/commands/", "/views/{system}/{view}", "/audit/{system}/{context}")
"""Beginnings of the engine's paths at which access to a command, a view or a log is checked."""


def is_open(access: Access | None) -> bool:
    """Returns whether the profile opens what declares this access."""
    return access is None or access.open_in_seed


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return installed_catalog(SYSTEMS)


@pytest.fixture(scope="module")
def documented() -> Mapping[str, list[str]]:
    """The rows of the table: a name and what is open."""
    section = DOCUMENT.read_text().partition("### What the profile seed opens")[2].partition("\n### ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return {name.strip().partition(" ")[0].strip(","): re.findall(r"`([^`]+)`", open_) for name, open_ in rows[1:]}


def test_the_open_commands_are_named(catalog: Catalog, documented: Mapping[str, list[str]]) -> None:
    commands = [
        f"{context.system}.{command.message_name}"
        for context, command in catalog.commands()
        if not command.internal and is_open(command.command_access)
    ]

    assert documented["commands"] == sorted(commands)


def test_the_open_views_are_named(catalog: Catalog, documented: Mapping[str, list[str]]) -> None:
    views = [f"{context.system}.{view.view_name}" for context, view in catalog.views() if is_open(view.view_access)]

    assert documented["views"] == sorted(views)


def test_the_open_audits_are_named(catalog: Catalog, documented: Mapping[str, list[str]]) -> None:
    assert documented["audits"] == sorted(str(name) for name, context in catalog.contexts.items() if context.audit is None)


def test_the_open_paths_are_named(catalog: Catalog, documented: Mapping[str, list[str]]) -> None:
    own = [path for declared in paths.installed(catalog).values() for path in declared]
    of_systems = {path.path for path in own} | {query.path for rows in queries.installed(catalog).values() for query in rows}
    apps = (make_command_api(Settings(), catalog), make_query_api(Settings(), catalog))
    routes = {route.path for app in apps for route in app.routes if isinstance(route, Route | Mount)}

    assert documented["other"] == sorted(path.path for path in own if isinstance(path, QuestionPath))
    questions = [one for rows in queries.installed(catalog).values() for one in rows if isinstance(one, Question)]
    assert documented["own"] == sorted(one.path for one in questions if one.access is None)
    assert documented["pages"] == sorted(path for path in routes - of_systems if not path.startswith(_OF_SYSTEMS))


@pytest.mark.parametrize("profile", ["closed", "seed"])
async def test_what_the_profile_opens_needs_a_token_without_it(
    catalog: Catalog, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(profile=profile)
    commands = [
        ("POST", f"/commands/{context.system}/{command.message_name}")
        for context, command in catalog.commands()
        if not command.internal and is_open(command.command_access)
    ]
    own = [
        (path.method, path.path)
        for declared in paths.installed(catalog).values()
        for path in declared
        if not isinstance(path, QuestionPath) and is_open(path.command.command_access)
    ]
    views = [one for one in catalog.views() if is_open(one[1].view_access)]
    of_views = [
        ("GET", f"/views/{home.system}/{view.view_name}{more}")
        for home, view in views
        if not view.view_own_paths_only
        for more in ("", "/x", "/live")
    ]
    asked = [
        query
        for rows in queries.installed(catalog).values()
        for query in rows
        if isinstance(query, Query) and is_open(query.view.view_access)
    ]
    logs = [
        ("GET", f"/audit/{name.system}/{name.context}/events") for name, one in catalog.contexts.items() if one.audit is None
    ]
    read = [*of_views, *(("GET", query.path) for query in asked), *logs]
    assert all((commands, own, views, asked, logs))

    async def answered(make: Callable[[Settings, Catalog], Starlette], calls: Sequence[tuple[str, str]]) -> set[int]:
        transport = httpx.ASGITransport(make(settings, catalog), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return {(await client.request(method, re.sub(r"{[^}]*}", "x", path))).status_code for method, path in calls}

    monkeypatch.setattr("streams.database.pools._CONNECT_SECONDS", 0.1)
    found = await answered(make_command_api, [*commands, *own]) | await answered(make_query_api, read)
    assert (found == {401}) == (profile == "closed")
    assert profile == "closed" or 401 not in found


def test_nothing_of_the_engine_itself_is_open(catalog: Catalog) -> None:
    commands = [command for context, command in catalog.commands() if context.system == ENGINE]
    assert not any(is_open(command.command_access) for command in commands if not command.internal)
    assert not any(is_open(view.view_access) for context, view in catalog.views() if context.system == ENGINE)
    assert all(context.audit for name, context in catalog.contexts.items() if name.system == ENGINE)
