"""Things that one process serves, each on a port of its own: ``NAME`` or ``NAME:PORT``."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Protocol, TypeVar

from schemas.errors import Misconfigured

_LAST_PORT = 65_535


class HasPort(Protocol):
    """Something with a port of its own."""

    @property
    def port(self) -> int:
        """Its port, unless another one is asked for."""


T = TypeVar("T", bound=HasPort)


def by_port(kind: str, names: Iterable[str], installed: Mapping[str, T]) -> Mapping[int, T]:
    """Returns what ``NAME`` or ``NAME:PORT`` name, by port; raises `Misconfigured`."""
    wanted = dict[int, T]()
    for text in names:
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
        raise Misconfigured(f"name the {kind}s to serve; installed are {', '.join(installed) or 'none'}")
    return wanted
