"""The flight reservations' side of the command API: their own paths, and the mail to customers."""

from command_api.flight_reservations import mail, paths

PATHS = paths.PATHS
ACTIVITIES = mail.ACTIVITIES
