"""The gateways of the installed systems, by name and by port."""

from collections.abc import Iterable, Mapping

from deploy.console.named_ports import by_port
from schemas.catalog import Catalog
from schemas.clients.gateway import Gateway
from schemas.errors import Misconfigured


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
    return by_port("gateway", names, installed_gateways(catalog))
