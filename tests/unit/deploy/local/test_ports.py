"""Ports on loopback."""

import socket
from contextlib import closing

from deploy.local.ports import LOOPBACK, free_ports, is_free, listens


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
