"""The projections of the flight reservations."""

from projectors.flight_reservations import customers, reservations
from projectors.notifications.projection import projection_of
from schemas.flight_reservations.notifications import MESSAGES
from schemas.flight_reservations.views import Notifications

PROJECTIONS = (*reservations.PROJECTIONS, *customers.PROJECTIONS, projection_of(Notifications, MESSAGES))
