"""The decisions, policies and sagas of the medical datasets."""

from aggregates.medical_datasets import anonymisation, anonymising, mapping, notifications, processing
from aggregates.medical_datasets.notifications import NOTIFICATIONS
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*anonymisation.DECISIONS, *mapping.DECISIONS, *processing.DECISIONS, *notifications.DECISIONS),
    policies=notifications.POLICIES,
    sagas=(anonymising.ANONYMISING, NOTIFICATIONS.redelivery),
)
