"""Notifications of the laboratory: one row for each."""

from projectors.notifications.projection import projection_of
from schemas.clinical_lab.notifications import MESSAGES
from schemas.clinical_lab.views import Notifications

PROJECTIONS = (projection_of(Notifications, MESSAGES),)
