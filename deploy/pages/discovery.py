"""The live pages of the installed systems, by name and by port."""

from collections.abc import Mapping, Sequence

from deploy.console.named_ports import by_name, by_port
from deploy.pages.live_page import LivePage
from schemas.catalog import Catalog
from streams.discovery import declared_rows


def installed_pages(catalog: Catalog) -> Mapping[str, LivePage]:
    """Returns the pages of a catalog's systems by their names; raises `Misconfigured` for one that cannot work."""
    return by_name("page", declared_rows(catalog, "deploy", "PAGES"))


def wanted_pages(names: Sequence[str], catalog: Catalog) -> Mapping[int, LivePage]:
    """Returns the pages that ``NAME`` or ``NAME:PORT`` name, by their ports; raises `Misconfigured`."""
    return by_port("page", names, installed_pages(catalog))
