"""The gateways of the installed systems, by name and by port."""

from collections.abc import Mapping, Sequence

from deploy.console.named_ports import by_name, by_port
from schemas.catalog import Catalog
from schemas.clients.gateway import Gateway


def installed_gateways(catalog: Catalog) -> Mapping[str, Gateway]:
    """Returns the gateways of a catalog's systems by their names; raises `Misconfigured` for one that cannot work."""
    return by_name("gateway", {system: declared.gateways for system, declared in catalog.systems.items()})


def wanted_gateways(names: Sequence[str], catalog: Catalog) -> Mapping[int, Gateway]:
    """Returns the gateways that ``NAME`` or ``NAME:PORT`` name, by their ports; raises `Misconfigured`."""
    return by_port("gateway", names, installed_gateways(catalog))
