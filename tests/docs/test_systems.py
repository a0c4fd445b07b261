"""The pages of the systems: each names every call and every event of its system, and no others."""

import re
from pathlib import Path

import pytest

from schemas.system import ENGINE
from streams.discovery import declared_rows, installed_catalog

PAGES = Path(__file__).parents[2] / "docs" / "systems"
CATALOG = installed_catalog()
SYSTEMS = sorted(set(CATALOG.systems) - {ENGINE})


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_page_has_every_call_of_its_system(system: str) -> None:
    commands = {(getattr(one, "method", "POST"), one.path) for one in declared_rows(CATALOG, "command_api", "PATHS")[system]}
    queries = {("GET", one.path.replace(":path}", "}")) for one in declared_rows(CATALOG, "query_api", "QUERIES")[system]}

    assert set(re.findall(r"^\| `([A-Z]+) (/\S*)` \|", _page(system), re.M)) == commands | queries


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_page_has_every_event_of_its_system(system: str) -> None:
    contexts = [one for one in CATALOG.contexts if one.system == system]
    events = {(one.context, event.message_name) for one in contexts for event in CATALOG.context(one).events}

    assert set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", _page(system), re.M)) == events


def test_the_list_has_every_page() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \|", (PAGES / "README.md").read_text(), re.M)

    assert sorted(listed) == SYSTEMS == sorted(page.stem for page in PAGES.glob("*_*.md"))


def _page(system: str) -> str:
    return (PAGES / f"{system}.md").read_text()
