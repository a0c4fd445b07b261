"""What the partner alliances add to the command API: paths of their own, and what comes before their commands are decided."""

from command_api.partner_alliances import assessing, partners

ACTIVITIES = (*assessing.ACTIVITIES, *partners.ACTIVITIES)
