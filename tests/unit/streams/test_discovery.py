"""Discovery: which systems are installed, and where their rooms are."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from aggregates.system import Domain
from schemas.data_ingestion import SYSTEM
from schemas.errors import Misconfigured
from streams.discovery import GROUP, declared, declared_domains, declared_rows, installed_catalog, schemas_module

_PACKAGE = {
    "someones/schemas.py": """
        from schemas.system import System
        SYSTEM = System("someones", ())
    """,
    "someones/aggregates/__init__.py": """
        from aggregates.system import Domain
        DOMAIN = Domain(decisions=())
    """,
    "someones/projectors.py": "PROJECTIONS = ()",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package outside the tree, with some of the rooms. No system of this name is installed beside the tree."""
    for name, text in _PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.strip() for line in text.splitlines()))
    (tmp_path / "someones/__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for module in [name for name in sys.modules if name.partition(".")[0] == "someones"]:
        del sys.modules[module]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """The entry points that are installed: what a test adds to the list."""
    points: list[EntryPoint] = []
    monkeypatch.setattr("streams.discovery.entry_points", lambda group: [one for one in points if one.group == group])
    return points


def test_the_installed_systems_are_found_and_the_engines_own_is_always_there() -> None:
    assert installed_catalog().systems["data_ingestion"] is SYSTEM
    assert set(installed_catalog(["clinical_lab"]).systems) == {"clinical_lab", "engine"}


def test_a_system_that_is_not_installed_is_named() -> None:
    with pytest.raises(Misconfigured, match="names labs, which is not installed; installed are clinical_lab"):
        installed_catalog(["clinical_lab", "labs"])


def test_without_systems_there_is_the_engines_own(register: list[EntryPoint]) -> None:
    assert set(installed_catalog().systems) == {"engine"}
    with pytest.raises(Misconfigured, match="installed are none"):
        installed_catalog(["shop"])


def test_an_entry_point_has_the_name_of_its_system(register: list[EntryPoint]) -> None:
    register.append(EntryPoint("shop", "schemas.data_ingestion:SYSTEM", GROUP))

    with pytest.raises(Misconfigured, match="'shop' registers a system that calls itself 'data_ingestion'"):
        installed_catalog()


def test_an_entry_point_names_a_system(register: list[EntryPoint]) -> None:
    register.append(EntryPoint("shop", "schemas.data_ingestion.records:Records", GROUP))

    with pytest.raises(Misconfigured, match="which is not a System"):
        installed_catalog()


@pytest.mark.usefixtures("package")
def test_the_rooms_of_a_package_are_beside_its_schemas(register: list[EntryPoint]) -> None:
    register.append(EntryPoint("someones", "someones.schemas:SYSTEM", GROUP))
    catalog = installed_catalog()

    assert schemas_module("someones") == "someones.schemas"
    assert declared_domains(catalog) == {"someones": Domain(decisions=())}
    assert declared(catalog, "projectors", "PROJECTIONS")["someones"] == ()
    assert "someones" not in declared(catalog, "query_api", "QUERIES")


def test_a_mistake_inside_a_room_is_not_hidden(package: Path, register: list[EntryPoint]) -> None:
    (package / "someones" / "query_api.py").write_text("import nothing_of_that_name")
    register.append(EntryPoint("someones", "someones.schemas:SYSTEM", GROUP))

    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        declared(installed_catalog(), "query_api", "QUERIES")


def test_a_missing_comma_is_named(package: Path, register: list[EntryPoint]) -> None:
    (package / "someones" / "projectors.py").write_text("PROJECTIONS = (1)")
    register.append(EntryPoint("someones", "someones.schemas:SYSTEM", GROUP))

    with pytest.raises(Misconfigured, match="PROJECTIONS is not a tuple"):
        declared_rows(installed_catalog(), "projectors", "PROJECTIONS")


def test_a_domain_gets_the_extensions_of_other_packages(register: list[EntryPoint]) -> None:
    register += [
        EntryPoint("partner_alliances", "schemas.partner_alliances:SYSTEM", GROUP),
        EntryPoint("pension", "aggregates.partner_alliances.products:NOTHING", "caudal.partner_alliances.products"),
    ]

    with pytest.raises(AttributeError, match="NOTHING"):
        declared_domains(installed_catalog())
