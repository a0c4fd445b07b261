"""The engine's own projections."""

from projectors.engine import operations, sagas

PROJECTIONS = (*sagas.PROJECTIONS, *operations.PROJECTIONS)
