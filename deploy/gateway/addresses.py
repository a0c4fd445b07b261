"""The addresses of gateways, for the processes that call them."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from deploy.gateway.discovery import installed_gateways
from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from streams.discovery import installed_catalog
from streams.settings import Settings


def addresses_of(settings: Settings, catalog: Catalog) -> Mapping[str, str]:
    """Returns the address of each gateway of the running systems; raises `Misconfigured` for a name or address that is none."""
    own = {gateway.name: f"http://127.0.0.1:{gateway.port}" for gateway in installed_gateways(catalog).values()}
    for name, address in settings.gateways.items():
        if name not in own and name not in (installed := installed_gateways(installed_catalog())):
            raise Misconfigured(f"CAUDAL_GATEWAYS names {name}, which is no gateway; installed are {', '.join(installed)}")
        if urlsplit(address).scheme not in ("http", "https"):
            raise Misconfigured(f"CAUDAL_GATEWAYS has no address for {name}: write it like http://gateway:5000")
    return {name: settings.gateways.get(name, address) for name, address in own.items()}
