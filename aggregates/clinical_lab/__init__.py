"""The clinical laboratory's decisions, policies and sagas."""

from aggregates.clinical_lab import notifications, results, sagas, users
from aggregates.clinical_lab.notifications import NOTIFICATIONS
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*users.DECISIONS, *results.DECISIONS, *NOTIFICATIONS.decisions),
    policies=notifications.POLICIES,
    sagas=(*sagas.SAGAS, NOTIFICATIONS.redelivery),
)
