"""The queries of the health subscriptions, whose clients read Spanish."""

from query_api.health_subscriptions import images, rows, saga_entries
from query_api.health_subscriptions.labels import SAGA_LABELS as SAGA_LABELS

QUERIES = (*rows.QUERIES, *images.QUERIES, *saga_entries.QUERIES)
