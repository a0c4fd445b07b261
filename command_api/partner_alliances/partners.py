"""Partners: a contract is made by hand with somebody who is one."""

from aggregates.partner_alliances.integrations import Partner
from command_api.handling.activities import Activity, ActivityContext
from schemas.catalog import ContextName
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.partner_alliances.contracts import CreateContract

INTEGRATIONS = ContextName("partner_alliances", "integrations")


async def known(issued: CommandEnvelope[CreateContract], surroundings: ActivityContext) -> CreateContract:
    """The command as it is; raises `Rejected` where there is no such partner, or none any more."""
    partner = await surroundings.load(INTEGRATIONS, Partner, str(issued.data.partner_id))
    if partner.is_new or partner.withdrawn:
        raise Rejected(f"the partner {partner.key} is {'withdrawn' if partner.withdrawn else 'not there'}")
    return issued.data


ACTIVITIES = (Activity(CreateContract, known),)
