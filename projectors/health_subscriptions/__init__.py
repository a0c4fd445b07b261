"""The projections of the health subscriptions."""

from projectors.health_subscriptions import data_services, images, subscriptions
from projectors.notifications.projection import projection_of
from schemas.health_subscriptions.notifications import MESSAGES
from schemas.health_subscriptions.views import Notifications

PROJECTIONS = (
    *subscriptions.PROJECTIONS,
    *data_services.PROJECTIONS,
    *images.PROJECTIONS,
    projection_of(Notifications, MESSAGES),
)
