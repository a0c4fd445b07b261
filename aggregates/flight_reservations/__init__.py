"""The decisions and policies of the flight reservations."""

from aggregates.flight_reservations import customers, notifications, reservations
from aggregates.flight_reservations.notifications import NOTIFICATIONS
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*reservations.DECISIONS, *customers.DECISIONS, *notifications.DECISIONS),
    policies=notifications.POLICIES,
    sagas=(NOTIFICATIONS.redelivery,),
)
