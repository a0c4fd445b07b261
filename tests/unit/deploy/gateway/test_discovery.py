"""The gateways of the installed systems."""

import pytest

from deploy.gateway.discovery import installed_gateways, wanted_gateways
from schemas.catalog import Catalog
from schemas.clients.gateway import Gateway
from schemas.errors import Misconfigured
from schemas.system import System
from streams.discovery import installed_catalog

CATALOG = installed_catalog()


def test_every_system_has_a_gateway() -> None:
    gateways = installed_gateways(CATALOG)

    assert {gateway.system for gateway in gateways.values()} == CATALOG.systems.keys() - {"engine"}
    assert gateways["clinical_lab"].port == 8080


def test_gateways_are_wanted_by_name_on_their_own_ports_or_on_others() -> None:
    wanted = wanted_gateways(["clinical_lab", "data_ingestion:9000"], CATALOG)

    assert {port: gateway.name for port, gateway in wanted.items()} == {8080: "clinical_lab", 9000: "data_ingestion"}


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["nothing"], "there is no gateway 'nothing'; installed are clinical_lab"),
        (["clinical-lab"], "there is no gateway 'clinical-lab'; did you mean 'clinical_lab'?"),
        (["clinical_lab:x"], "write it like clinical_lab:8080"),
        (["clinical_lab:"], "names no port"),
        (["clinical_lab:70000"], "names no port"),
        (["clinical_lab", "data_ingestion:8080"], "two gateways want the port 8080"),
    ],
)
def test_what_cannot_be_served_is_an_error(names: list[str], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        wanted_gateways(names, CATALOG)


@pytest.mark.parametrize(
    ("gateways", "why"),
    [
        ((Gateway("other", 1),), "must be named shop or shop.something"),
        ((Gateway("shop", 1), Gateway("shop", 2)), "two gateways shop"),
        ((Gateway("shop", 1), Gateway("shop.web", 1)), "the same port 1"),
    ],
)
def test_gateways_that_cannot_work_are_errors(gateways: tuple[Gateway, ...], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        installed_gateways(Catalog.of([System("shop", (), gateways=gateways)]))
