"""The engine's own activities."""

from command_api.engine import privacy

ACTIVITIES = privacy.ACTIVITIES
