"""The gateways of the installed systems, by name and by port."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from schemas.catalog import Catalog
from schemas.clients.gateway import Gateway
from schemas.errors import Misconfigured

_LAST_PORT = 65_535


def installed_gateways(catalog: Catalog) -> Mapping[str, Gateway]:
    """Returns the gateways of a catalog's systems by their names; raises `Misconfigured` for one that cannot work."""
    found: dict[str, Gateway] = {}
    ports: dict[int, str] = {}
    for system, declared in catalog.systems.items():
        for gateway in declared.gateways:
            if gateway.system != system:
                raise Misconfigured(f"the gateway {gateway.name!r} of {system} must be named {system} or {system}.something")
            if gateway.name in found:
                raise Misconfigured(f"there are two gateways {gateway.name}: give one a suffix, as in {system}.web")
            if gateway.port in ports:
                raise Misconfigured(f"the gateways {ports[gateway.port]} and {gateway.name} have the same port {gateway.port}")
            found[gateway.name], ports[gateway.port] = gateway, gateway.name
    return found


def wanted_gateways(names: Iterable[str], catalog: Catalog) -> Mapping[int, Gateway]:
    """Returns the gateways that ``NAME`` or ``NAME:PORT`` name, by their ports; raises `Misconfigured`."""
    installed, wanted = installed_gateways(catalog), dict[int, Gateway]()
    for text in names:
        name, colon, port = text.partition(":")
        if (gateway := installed.get(name)) is None:
            known, near = ", ".join(installed) or "none", get_close_matches(name, installed, n=1)
            raise Misconfigured(
                f"there is no gateway {name!r}; {f'did you mean {near[0]!r}?' if near else f'installed are {known}'}"
            )
        if colon and not (port.isascii() and port.isdigit() and 0 < int(port) <= _LAST_PORT):
            raise Misconfigured(f"{text!r} names no port: write it like {name}:{gateway.port}")
        if (number := int(port or gateway.port)) in wanted:
            raise Misconfigured(f"two gateways want the port {number}")
        wanted[number] = gateway
    if not wanted:
        raise Misconfigured(f"name the gateways to serve; installed are {', '.join(installed) or 'none'}")
    return wanted
