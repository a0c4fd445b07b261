"""The engine's own queries."""

from query_api.engine import sagas

QUERIES = sagas.QUERIES
