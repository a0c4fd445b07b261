"""The queries of the flight reservations, whose clients read Spanish."""

from query_api.flight_reservations import rows

QUERIES = rows.QUERIES
