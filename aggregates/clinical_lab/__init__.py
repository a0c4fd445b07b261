"""The clinical laboratory's decisions, policies and processes."""

from aggregates.clinical_lab import notifications, redelivery, results, sagas, users
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*users.DECISIONS, *results.DECISIONS, *notifications.DECISIONS),
    aggregates={
        "users": users.AGGREGATES,
        "results": results.AGGREGATES,
        "notifications": notifications.AGGREGATES,
    },
    policies=notifications.POLICIES,
    sagas=(*sagas.PROCESSES, redelivery.REDELIVERY),
)
