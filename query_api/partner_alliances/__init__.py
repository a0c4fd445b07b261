"""The queries of the partner alliances, whose clients read Spanish."""

from query_api.partner_alliances import compliance, profiles, rows, saga_entries
from query_api.partner_alliances.labels import SAGA_LABELS as SAGA_LABELS

QUERIES = (*rows.QUERIES, *compliance.QUERIES, *profiles.QUERIES, *saga_entries.QUERIES)
