"""The clinical laboratory's decisions, policies and sagas."""

from aggregates.clinical_lab import notifications, redelivery, results, sagas, users
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*users.DECISIONS, *results.DECISIONS, *notifications.DECISIONS),
    policies=notifications.POLICIES,
    sagas=(*sagas.SAGAS, redelivery.REDELIVERY),
)
