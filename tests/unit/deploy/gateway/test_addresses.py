"""The addresses of gateways, from the settings or of this machine."""

import pytest

from deploy.gateway.addresses import addresses_of
from schemas.errors import Misconfigured
from streams.discovery import installed_catalog
from streams.settings import Settings


@pytest.mark.parametrize(
    ("gateways", "why"),
    [
        ({"flights": "http://a"}, "names flights, which is no gateway"),
        ({"flight_reservations": "gateway:5000"}, "write it like"),
    ],
)
def test_a_gateway_that_is_none_is_misconfigured(gateways: dict[str, str], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        addresses_of(Settings(gateways=gateways), installed_catalog(["flight_reservations"]))


def test_a_gateway_has_its_address_or_its_own_port_of_this_machine() -> None:
    catalog = installed_catalog(["flight_reservations", "data_ingestion"])

    found = addresses_of(Settings(gateways={"flight_reservations": "https://flights.example"}), catalog)

    assert found == {"flight_reservations": "https://flights.example", "data_ingestion": "http://127.0.0.1:8002"}


def test_the_address_of_a_system_that_does_not_run_is_not_used() -> None:
    gateways = {"flight_reservations": "https://flights.example"}

    assert addresses_of(Settings(gateways=gateways), installed_catalog(["data_ingestion"])).keys() == {"data_ingestion"}
