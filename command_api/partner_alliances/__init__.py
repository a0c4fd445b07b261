"""The partner alliances' side of the command API: their own paths, and the activities before their decisions."""

from command_api.partner_alliances import assessing, partners, paths, profiles, programs

PATHS = (*paths.PATHS, *profiles.PATHS, *programs.PATHS)
ACTIVITIES = (*assessing.ACTIVITIES, *partners.ACTIVITIES)
