"""Ports on loopback."""

import socket
from contextlib import closing

import pytest

from deploy.gateway.discovery import installed_gateways
from deploy.local.ports import LOOPBACK, free_ports, is_free, listens
from deploy.local.stack import CONTROLLER_PORT, DEFAULT_PORTS, choose_ports
from deploy.pages.discovery import installed_pages
from schemas.errors import Misconfigured
from streams.discovery import installed_catalog

FIRST_EPHEMERAL_PORT = 32768
"""Linux gives this port and higher ones to outgoing connections of any program."""


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)

    assert len(set(ports)) == 5
    assert all(is_free(port) and not listens(port) for port in ports)


def test_a_port_on_which_a_program_listens_is_not_free() -> None:
    with closing(socket.socket()) as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        port = server.getsockname()[1]

        assert listens(port)
        assert not is_free(port)


def test_no_default_port_is_one_that_an_outgoing_connection_may_hold() -> None:
    ports = {gateway.port for gateway in installed_gateways(installed_catalog()).values()}

    assert not ports & {CONTROLLER_PORT, *DEFAULT_PORTS.values()}
    assert max(CONTROLLER_PORT, *ports, *DEFAULT_PORTS.values()) < FIRST_EPHEMERAL_PORT


def test_a_port_that_is_taken_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server((LOOPBACK, 0))) as server:
        port = server.getsockname()[1]
        monkeypatch.setitem(DEFAULT_PORTS, "postgres", port)

        with pytest.raises(Misconfigured, match=rf"{port} \(postgres\).*`--ports auto` picks free ones"):
            choose_ports("embedded", {}, {}, automatic=False)
        assert port not in choose_ports("embedded", {}, {}, automatic=True).values()


def test_each_gateway_has_a_port() -> None:
    catalog = installed_catalog()
    gateways, pages = installed_gateways(catalog), installed_pages(catalog)

    ports = choose_ports("embedded", gateways, pages, automatic=True)
    assert {name.removeprefix("gateway ") for name in ports if name.startswith("gateway ")} == gateways.keys()
    assert {name.removeprefix("page ") for name in ports if name.startswith("page ")} == pages.keys()
    assert len(set(ports.values())) == len(ports)
