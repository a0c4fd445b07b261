"""The clinical laboratory's side of the command API: its own paths, and the activities before its decisions."""

from command_api.clinical_lab import mail, paths, patients

PATHS = paths.PATHS
ACTIVITIES = (*mail.ACTIVITIES, *patients.ACTIVITIES)
