"""Discovery of projections: names of systems, and the errors of declarations that contradict them."""

from typing import Any

import pytest

from projectors.data_ingestion import PROJECTIONS
from projectors.discovery import installed
from projectors.partner_alliances import PROJECTIONS as OTHERS
from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from streams.discovery import installed_catalog


def registering(monkeypatch: pytest.MonkeyPatch, projections: Any) -> Catalog:
    monkeypatch.setattr("projectors.data_ingestion.PROJECTIONS", projections)
    return installed_catalog(["data_ingestion"])


def test_each_has_the_name_of_its_system() -> None:
    names = {projection.full_name for projection in installed(installed_catalog(["data_ingestion"]))}

    assert {"data_ingestion.records", "engine.sagas"} <= names


def test_a_view_is_filled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = registering(monkeypatch, (*PROJECTIONS, *PROJECTIONS))

    with pytest.raises(Misconfigured, match=r"data_ingestion\.records is filled by two projections"):
        installed(catalog)


def test_a_view_of_another_system_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = registering(monkeypatch, OTHERS)

    with pytest.raises(Misconfigured, match="does not declare: add it to the views"):
        installed(catalog)
