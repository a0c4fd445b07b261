"""Things that one process serves, each on a port of its own: ``NAME`` or ``NAME:PORT``."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Protocol, TypeVar

from schemas.errors import Misconfigured

_LAST_PORT = 65_535


class NamedPort(Protocol):
    """Something of a system with a name and a port of its own."""

    @property
    def name(self) -> str:
        """The system's name, or that with a suffix."""

    @property
    def port(self) -> int:
        """Its port, unless another one is asked for."""


T = TypeVar("T", bound=NamedPort)


def by_name(kind: str, declared: Mapping[str, Iterable[T]]) -> Mapping[str, T]:
    """Returns what systems declare, by name; raises `Misconfigured` for a name or port that cannot be used."""
    found: dict[str, T] = {}
    ports: dict[int, str] = {}
    for system, rows in declared.items():
        for one in rows:
            if one.name.partition(".")[0] != system:
                raise Misconfigured(f"the {kind} {one.name!r} of {system} must be named {system} or {system}.something")
            if one.name in found:
                raise Misconfigured(f"there are two {kind}s {one.name}: give one a suffix, as in {system}.web")
            if one.port in ports:
                raise Misconfigured(f"the {kind}s {ports[one.port]} and {one.name} have the same port {one.port}")
            found[one.name], ports[one.port] = one, one.name
    return found


def by_port(kind: str, names: Collection[str], installed: Mapping[str, T]) -> Mapping[int, T]:
    """Returns what ``NAME`` or ``NAME:PORT`` name, or without names everything, by port; raises `Misconfigured`."""
    wanted = dict[int, T]()
    for text in names or installed:
        name, colon, port = text.partition(":")
        if (one := installed.get(name)) is None:
            known, near = ", ".join(installed) or "none", get_close_matches(name, installed, n=1)
            raise Misconfigured(
                f"there is no {kind} {name!r}; {f'did you mean {near[0]!r}?' if near else f'installed are {known}'}"
            )
        if colon and not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
            raise Misconfigured(f"{text!r} names no port: write it like {name}:{one.port}")
        if (number := int(port or one.port)) in wanted:
            raise Misconfigured(f"two {kind}s want the port {number}")
        wanted[number] = one
    if not wanted:
        raise Misconfigured(f"there is no {kind} to serve: none of the systems has one")
    return wanted
