"""The clinical laboratory's projections."""

from projectors.clinical_lab import notifications, results, users

PROJECTIONS = (*users.PROJECTIONS, *results.PROJECTIONS, *notifications.PROJECTIONS)
