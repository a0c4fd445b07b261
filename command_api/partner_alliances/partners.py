"""Partners: a contract that is created by hand needs an existing partner, and an integration is found by its own id."""

from aggregates.partner_alliances.partner import INTEGRATION, PARTNER
from command_api.handling.activities import Activity, ActivityContext
from schemas.envelope import CommandEnvelope
from schemas.partner_alliances.contracts import CreateContract
from schemas.partner_alliances.partners import RecordRevocation, RevokeIntegration
from schemas.partner_alliances.rejections import IntegrationNotFound, PartnerHasEnded, PartnerNotFound


async def check_partner(command: CommandEnvelope[CreateContract], context: ActivityContext) -> CreateContract:
    """Returns the command unchanged; raises `PartnerNotFound` or `PartnerHasEnded`."""
    partner_id = command.data.partner_id
    partner = await context.load(PARTNER, str(partner_id))
    if not partner.exists:
        raise PartnerNotFound(f"the partner {partner_id} does not exist")
    if partner.end is not None:
        raise PartnerHasEnded(f"the partner {partner_id} is {partner.end}")
    return command.data


async def find_partner(command: CommandEnvelope[RevokeIntegration], context: ActivityContext) -> RecordRevocation:
    """Adds the partner whose integration it is; raises `IntegrationNotFound`."""
    data = command.data
    integration = await context.load(INTEGRATION, str(data.integration_id))
    if integration.partner_id is None:
        raise IntegrationNotFound(f"there is no integration {data.integration_id}")
    return RecordRevocation(integration_id=data.integration_id, partner_id=integration.partner_id, reason=data.reason)


ACTIVITIES = (
    Activity(CreateContract, check_partner),
    Activity(RevokeIntegration, find_partner, has_side_effects=False),
)
