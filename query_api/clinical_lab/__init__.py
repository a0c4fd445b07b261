"""The clinical laboratory's side of the query API."""

from query_api.clinical_lab import notifications, profiles, results, saga_entries, users

QUERIES = (*users.QUERIES, *results.QUERIES, *saga_entries.QUERIES, *profiles.QUERIES, *notifications.QUERIES)
