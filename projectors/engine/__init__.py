"""The engine's own projections."""

from projectors.engine import sagas

PROJECTIONS = sagas.PROJECTIONS
