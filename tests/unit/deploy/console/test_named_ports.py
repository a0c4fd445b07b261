"""Things that one process serves on several ports."""

from dataclasses import dataclass

import pytest

from deploy.console.named_ports import by_port
from schemas.errors import Misconfigured


@dataclass(frozen=True)
class Shop:
    name: str
    port: int


SHOPS = {"bakery": Shop("bakery", 8001), "butcher": Shop("butcher", 8002)}


def test_each_has_its_own_port_or_the_one_after_its_name() -> None:
    assert by_port("shop", ["bakery", "butcher:9000"], SHOPS) == {8001: SHOPS["bakery"], 9000: SHOPS["butcher"]}


def test_without_names_all_are_served() -> None:
    assert by_port("shop", [], SHOPS) == {8001: SHOPS["bakery"], 8002: SHOPS["butcher"]}
    with pytest.raises(Misconfigured, match="there is no shop to serve: none of the systems has one"):
        by_port("shop", [], {})


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["bakey"], "there is no shop 'bakey'; did you mean 'bakery'"),
        (["grocer"], "installed are bakery, butcher"),
        (["bakery:"], "names no port: write it like bakery:8001"),
        (["bakery:70000"], "names no port"),
        (["bakery:٨٠٠١"], "names no port"),
        (["bakery:1", "butcher:1"], "two shops want the port 1"),
    ],
)
def test_what_cannot_be_served_is_misconfigured(names: list[str], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        by_port("shop", names, SHOPS)
