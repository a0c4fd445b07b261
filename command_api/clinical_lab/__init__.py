"""What the clinical laboratory adds to the command API: paths of its own, and what comes before its commands are decided."""

from command_api.clinical_lab import mail, patients

ACTIVITIES = (*mail.ACTIVITIES, *patients.ACTIVITIES)
