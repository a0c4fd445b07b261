"""Partners: a contract that is created by hand needs an existing partner, and an integration is found by its own id."""

from aggregates.partner_alliances.partner import INTEGRATION, PARTNER
from command_api.handling.activities import Activity, ActivityContext
from schemas.envelope import CommandEnvelope
from schemas.errors import Rejected
from schemas.partner_alliances.contracts import CreateContract
from schemas.partner_alliances.partners import RecordRevocation, RevokeIntegration
from schemas.partner_alliances.rejections import IntegrationNotFound


async def check_partner(command: CommandEnvelope[CreateContract], context: ActivityContext) -> CreateContract:
    """Returns the command unchanged; raises `Rejected` if the partner does not exist, is withdrawn or deleted."""
    partner = await context.load(PARTNER, str(command.data.partner_id))
    if not partner.exists or partner.end is not None:
        raise Rejected(
            f"the partner {command.data.partner_id} {'does not exist' if partner.end is None else f'is {partner.end}'}"
        )
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
