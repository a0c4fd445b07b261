"""The medical datasets' side of the command API: their own paths, and the activities before their decisions."""

from command_api.medical_datasets import datasets, images, mail, parquets, paths

PATHS = paths.PATHS
ACTIVITIES = (*images.ACTIVITIES, *parquets.ACTIVITIES, *datasets.ACTIVITIES, *mail.ACTIVITIES)
