"""The clinical laboratory's projections."""

from projectors.clinical_lab import notifications, results, saga_entries, users

PROJECTIONS = (*users.PROJECTIONS, *results.PROJECTIONS, *saga_entries.PROJECTIONS, *notifications.PROJECTIONS)
