"""Partners: a contract that is created by hand needs an existing partner."""

from aggregates.partner_alliances.integrations import PARTNER
from command_api.handling.activities import Activity, ActivityContext
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.partner_alliances.contracts import CreateContract


async def check_partner(command: CommandEnvelope[CreateContract], context: ActivityContext) -> CreateContract:
    """Returns the command unchanged; raises `Rejected` if the partner does not exist or is withdrawn."""
    partner = await context.load(PARTNER, str(command.data.partner_id))
    if partner.temporary_id is None or partner.withdrawn:
        raise Rejected(f"the partner {command.data.partner_id} {'is withdrawn' if partner.withdrawn else 'does not exist'}")
    return command.data


ACTIVITIES = (Activity(CreateContract, check_partner),)
