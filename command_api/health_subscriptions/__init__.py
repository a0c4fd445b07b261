"""The health subscriptions' side of the command API: their own paths, and the activities before their decisions."""

from command_api.health_subscriptions import images, infrastructure, mail, paths

PATHS = paths.PATHS
ACTIVITIES = (*infrastructure.ACTIVITIES, *images.ACTIVITIES, *mail.ACTIVITIES)
