"""Discovery of the projections of the installed systems."""

from collections.abc import Iterator
from typing import Any

from projectors.projection import Projection
from schemas.catalog import Catalog
from schemas.errors import Misconfigured
from streams.discovery import declared_rows


def installed(catalog: Catalog) -> tuple[Projection[Any], ...]:
    """Returns the projections of a catalog's systems, each with the name of its system.

    Raises `Misconfigured` if a view is filled twice or is not a view of its system.
    """
    return tuple(
        projection
        for system, projections in declared_rows(catalog, "projectors", "PROJECTIONS").items()
        for projection in _of_system(catalog, system, projections)
    )


def _of_system(catalog: Catalog, system: str, projections: tuple[Projection[Any], ...]) -> Iterator[Projection[Any]]:
    declared = {view for context, view in catalog.views() if context.system == system}
    seen: set[str] = set()
    for projection in projections:
        if projection.view not in declared:
            raise Misconfigured(
                f"The projection of {projection.view.__name__} fills a view that the system {system} does not declare: add it"
                " to the views of the system."
            )
        if projection.name in seen:
            raise Misconfigured(f"The view {system}.{projection.name} is filled by two projections: remove one of the two.")
        seen.add(projection.name)
        yield projection.of(system)
