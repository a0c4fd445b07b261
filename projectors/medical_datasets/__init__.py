"""The projections of the medical datasets."""

from projectors.medical_datasets import anonymisation, datasets, parquets
from projectors.notifications.projection import projection_of
from schemas.medical_datasets.notifications import MESSAGES
from schemas.medical_datasets.views import Notifications

PROJECTIONS = (
    *anonymisation.PROJECTIONS,
    *parquets.PROJECTIONS,
    *datasets.PROJECTIONS,
    projection_of(Notifications, MESSAGES),
)
