"""The live pages of the installed systems, by name and by port."""

from collections.abc import Iterable, Mapping

from deploy.console.named_ports import by_port
from deploy.pages.live_page import LivePage
from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from streams.discovery import declared_rows


def installed_pages(catalog: Catalog) -> Mapping[str, LivePage]:
    """Returns the pages of a catalog's systems by their names; raises `Misconfigured` for one that cannot work."""
    found: dict[str, LivePage] = {}
    for system, pages in declared_rows(catalog, "deploy", "PAGES").items():
        for page in pages:
            if page.system != system:
                raise Misconfigured(f"the page {page.name!r} of {system} must be named {system} or {system}.something")
            if page.name in found:
                raise Misconfigured(f"there are two pages {page.name}: give one a suffix, as in {system}.kitchen")
            found[page.name] = page
    return found


def wanted_pages(names: Iterable[str], catalog: Catalog) -> Mapping[int, LivePage]:
    """Returns the pages that ``NAME`` or ``NAME:PORT`` name, by their ports; raises `Misconfigured`."""
    return by_port("page", names, installed_pages(catalog))
